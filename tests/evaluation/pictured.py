"""Worlds of small pictures in memory, and networks whose answers are known."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from totalml.data import Splits
from totalml.features import FeatureSet
from totalml.task import Classification
from totalml.training.end_to_end import EndToEndNetwork


def thirds(count: int) -> Splits:
    rows = np.arange(count)
    return Splits(train=rows[rows % 3 == 0], validation=rows[rows % 3 == 1], test=rows[rows % 3 == 2])


class Rule(nn.Module):
    """Says good where `score`, (B, S, S, 3) uint8 -> (B,), is above 0."""

    def __init__(self, score: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.score = score

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        score = self.score(inputs["image"].float())
        return torch.stack([-score, score], dim=1)


class Drawn(nn.Module):
    """Random convolutions that nobody trained, a mean over each, and a head."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.image = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 24, 3), nn.ReLU())
        self.head = nn.Linear(24, 2)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        return self.head(self.image(inputs["image"].permute(0, 3, 1, 2).float() / 255).mean(dim=(2, 3)))


def whole(network: nn.Module, features: FeatureSet) -> EndToEndNetwork:
    return EndToEndNetwork(network.eval(), torch.device("cpu"), features, Classification())
