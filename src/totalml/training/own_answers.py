"""What a LightningModule of the recipe's own answers: the task's answers, and what each of its members would say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from totalml.errors import ModelError
from totalml.model.inputs import Inputs
from totalml.model.saved import load_state
from totalml.training.execution import quiet_lightning, reproducible
from totalml.training.own_batches import OwnBatches
from totalml.training.own_module import create, told

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule
    from numpy.typing import NDArray

    from totalml.features import FeatureSet
    from totalml.recipe import Recipe
    from totalml.training.batches import Batch
    from totalml.training.history import TrainedModel

PREDICT = "predict_step"
MEMBERS = "members_step"  # of a module that is several models in one
WANTED = {
    PREDICT: ("the task's answers", "For classes that is a probability of each."),
    MEMBERS: ("what each member answers", "Let it have a column for each member."),
}


def predict_with_module(
    recipe: Recipe, trained: TrainedModel, features: FeatureSet, rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """(n, A) what `predict_step` answers, which must be the task's answers.

    Raises: ModelError: the weights do not fit, or the answers are of another shape.
    """
    batches = OwnBatches(features, rows, recipe.training.batch_size)
    with _loaded(recipe, trained, features) as (module, device):
        parts = [_asked(module, PREDICT, (number,), batch, device) for number, batch in enumerate(batches)]
    return torch.cat(parts).numpy() if parts else np.zeros((0, len(features.targets.names)), np.float32)


def members_of_module(
    recipe: Recipe, trained: TrainedModel, features: FeatureSet, rows: NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """(n, K) what `members_step` answers; None where the module has none.

    Raises: ModelError: the weights do not fit, or the answers are of another shape.
    """
    batches = OwnBatches(features, rows, recipe.training.batch_size)
    with _loaded(recipe, trained, features) as (module, device):
        if not hasattr(module, MEMBERS):
            return None
        parts = [_asked(module, MEMBERS, (), batch, device) for batch in batches]
    return torch.cat(parts).numpy() if parts else np.zeros((0, 0), np.float32)


@contextmanager
def _loaded(
    recipe: Recipe, trained: TrainedModel, features: FeatureSet
) -> Iterator[tuple[LightningModule, torch.device]]:
    """As it was trained, in evaluation mode, on the device where it is to answer."""
    state, inputs = load_state(trained.weights)
    if inputs != Inputs.of(features):
        raise ModelError(
            f"the model takes {inputs}, the features are {Inputs.of(features)}; train it on these features."
        )
    with reproducible(recipe.runtime, recipe.seed) as device, torch.inference_mode(), quiet_lightning():
        module = create(recipe, inputs)
        module.load_state_dict(state)
        yield module.eval().to(device), device


def _asked(module: LightningModule, step: str, more: tuple[int, ...], batch: Batch, device: torch.device) -> Tensor:
    # Without the target: what is judged must not know the truth.
    moved = {name: tensor.to(device) for name, tensor in batch.items() if name != "target"}
    asked = f"{type(module).__name__}.{step}"
    try:
        answers = getattr(module, step)(moved, *more)
    except Exception as error:  # code of the recipe's own fails in any way
        raise ModelError(f"{asked} failed: {told(error)}") from error
    if not isinstance(answers, Tensor) or answers.ndim != 2 or len(answers) != len(batch["target"]):
        got = tuple(answers.shape) if isinstance(answers, Tensor) else type(answers).__name__
        raise ModelError(
            f"{asked} must return {WANTED[step][0]}, a tensor with a row for each of the {len(batch['target'])} "
            f"samples; got {got}. {WANTED[step][1]}"
        )
    return answers.float().cpu()
