"""Losses of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from totalml.training.objective import Judged, Objective, Reduction

if TYPE_CHECKING:
    from totalml.kinds import Loss


class CrossEntropy(Objective):
    """Args:
    weights: (K,) of the classes; None: all alike.
    smoothing: share of each label that goes to all classes alike; in training only.
    own: what is minimised in place of cross-entropy, times the weights.
    """

    def __init__(self, weights: Tensor | None, smoothing: float = 0.0, own: Loss | None = None) -> None:
        super().__init__()
        self.register_buffer("weights", weights, persistent=False)
        self.weights: Tensor | None
        self._smoothing, self._own = smoothing, own

    def forward(self, outputs: Tensor, targets: Tensor, reduction: Reduction = "mean") -> Tensor:
        if self._own is not None:
            losses = self._own.of(outputs, targets) * self._weight_of_each(targets)
            return losses.sum() if reduction == "sum" else losses.sum() / self.weight(targets)
        return functional.cross_entropy(
            outputs, targets, weight=self.weights, label_smoothing=self._smoothing, reduction=reduction
        )

    def weight(self, targets: Tensor) -> Tensor | float:
        return len(targets) if self.weights is None else self.weights[targets].sum()

    def judge(self, outputs: Tensor, targets: Tensor) -> Judged:
        weights = self._weight_of_each(targets)
        if self._own is not None:
            losses = self._own.of(outputs, targets) * weights
        else:
            losses = functional.cross_entropy(outputs, targets, weight=self.weights, reduction="none")
        return Judged(losses, weights, outputs.argmax(dim=1) == targets)

    def _weight_of_each(self, targets: Tensor) -> Tensor:
        return targets.new_ones(len(targets), dtype=torch.float32) if self.weights is None else self.weights[targets]


def class_weights(labels: NDArray[np.int64], classes: int) -> Tensor:
    """(K,) N / (K' * count), so that every class present weighs the same; 0 for a class without samples.

    Args:
        labels: (N,) of the training rows.
        classes: K; K' of them are present.
    """
    counts = np.bincount(labels, minlength=classes)
    present = np.count_nonzero(counts)
    weights = np.where(counts > 0, len(labels) / (present * np.maximum(counts, 1)), 0.0)
    return torch.from_numpy(weights).float()
