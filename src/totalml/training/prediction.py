"""`predict`: a trained model and features -> answers; `predict_members`: those of each member of an ensemble."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from totalml.errors import ModelError
from totalml.model import load_network
from totalml.model.inputs import Inputs
from totalml.recipe import Recipe
from totalml.training.batches import Batches
from totalml.training.execution import reproducible
from totalml.training.history import TrainedModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.features import FeatureSet


def predict(
    recipe: Recipe, trained: TrainedModel, features: FeatureSet, rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """(n, A) float32 answers of the task for some samples, in float32 arithmetic whatever training used.

    Raises: ModelError: the model cannot be read or was trained on other features.
    """
    if recipe.model.module is not None:
        from totalml.training.own_answers import predict_with_module

        return predict_with_module(recipe, trained, features, rows)
    network = load_network(recipe.model, recipe.task, trained.weights, features.embedding_width)
    if network.inputs != Inputs.of(features):
        raise ModelError(
            f"the model takes {network.inputs}, the features are {Inputs.of(features)}; train it on these features."
        )
    with reproducible(recipe.runtime, recipe.seed) as device, torch.inference_mode():
        network.to(device)
        batches = Batches(features, rows, recipe.training.batch_size)
        moved = ({name: tensor.to(device) for name, tensor in batch.items()} for batch in batches)
        parts = [recipe.task.answers(network(batch)).cpu() for batch in moved]
        if not parts:  # what would be answered tells the width
            blank = torch.zeros(1, recipe.task.outputs(features.targets.names))
            return recipe.task.answers(blank)[:0].numpy()
    return torch.cat(parts).numpy()


def predict_members(
    recipe: Recipe, trained: TrainedModel, features: FeatureSet, rows: NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """(n, K) float32 what each of the K members of the model would answer; None where it has no members.

    Raises: ModelError: the model cannot be read or was trained on other features.
    """
    if recipe.model.module is None:
        return None
    from totalml.training.own_answers import members_of_module

    return members_of_module(recipe, trained, features, rows)
