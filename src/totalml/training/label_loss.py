"""Loss of any number of labels."""

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


class BinaryCrossEntropy(Objective):
    """Of a sample the mean over its labels.

    Args:
        weights: (L,) how much more a sample with the label counts than one without; None: alike.
        smoothing: share of each label's truth that goes to yes and no alike; in training only.
        own: what is minimised in its place.
    """

    def __init__(self, weights: Tensor | None, smoothing: float = 0.0, own: Loss | None = None) -> None:
        super().__init__()
        self.register_buffer("weights", weights, persistent=False)
        self.weights: Tensor | None
        self._smoothing, self._own = smoothing, own

    def forward(self, outputs: Tensor, targets: Tensor, reduction: Reduction = "mean") -> Tensor:
        losses = self._losses(outputs, targets, self._smoothing)
        return losses.sum() if reduction == "sum" else losses.mean()

    def weight(self, targets: Tensor) -> Tensor | float:
        return len(targets)

    def judge(self, outputs: Tensor, targets: Tensor) -> Judged:
        right = ((outputs > 0) == (targets > 0.5)).float().mean(dim=1)
        return Judged(self._losses(outputs, targets, 0.0), torch.ones_like(right), right)

    def _losses(self, outputs: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """(B,)."""
        if self._own is not None:
            return self._own.of(outputs, targets)
        smooth = targets * (1 - smoothing) + smoothing / 2
        losses = functional.binary_cross_entropy_with_logits(outputs, smooth, pos_weight=self.weights, reduction="none")
        return losses.mean(dim=1)


def positive_weights(flags: NDArray[np.float32]) -> Tensor:
    """(L,) samples without each label for one with it, so that both sides weigh the same.

    Args: flags: (N, L) of the training rows; each label has samples on both sides.
    """
    count = flags.sum(axis=0, dtype=np.float64)
    return torch.from_numpy((len(flags) - count) / count).float()
