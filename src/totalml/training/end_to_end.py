"""A trained network from pictures to scores, whatever of it was frozen: for what looks at or changes pixels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from totalml.errors import EvaluationError
from totalml.kinds import Task
from totalml.model import Network, load_network
from totalml.recipe import Recipe
from totalml.training.execution import reproducible
from totalml.training.history import TrainedModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.features import FeatureSet


@dataclass(frozen=True)
class EndToEndNetwork:
    """A network in evaluation mode on its device, with its image backbone, its task, and samples it can be given."""

    network: Network
    device: torch.device
    features: FeatureSet
    task: Task

    def inputs(self, rows: NDArray[np.int64]) -> dict[str, Tensor]:
        """What `network` takes of some samples, on its device.

        Returns: `image` (B, H, W, C) uint8, `numeric` (B, Dn) float32, `categorical` (B, Dc) int64.
        """
        features = self.features
        if features.images is None:
            raise EvaluationError("the features hold no pictures; set features.image")
        given = {
            "image": torch.from_numpy(features.images.gather(rows)),
            "numeric": torch.from_numpy(features.numeric[rows]),
            "categorical": torch.from_numpy(features.categorical[rows]),
        }
        return {name: tensor.to(self.device) for name, tensor in given.items()}


@contextmanager
def end_to_end_network(recipe: Recipe, trained: TrainedModel, features: FeatureSet) -> Iterator[EndToEndNetwork]:
    """The trained network, seeded and deterministic inside; gradients are on unless the caller turns them off.

    Raises: ModelError: the model cannot be read.
    """
    network = load_network(recipe.model, recipe.task, trained.weights)
    with reproducible(recipe.runtime, recipe.seed) as device:
        yield EndToEndNetwork(network.to(device), device, features, recipe.task)
