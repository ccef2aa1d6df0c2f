"""Losses of numbers, each target in its training deviations, so that different units weigh alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from totalml.model.value_head import mean_and_deviation
from totalml.training.objective import Judged, Objective, Reduction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.kinds import Loss

ValueLossName = Literal["huber", "squared", "quantile"]


class ValueLoss(Objective):
    """Args:
    targets: (N, T) of the training rows.
    loss: by name, or one's own, which is given outputs and targets in deviations from the training mean.
    delta: where Huber's loss turns from squared to absolute, in deviations.
    coverage: of the interval between the outer two quantiles.
    """

    def __init__(self, targets: NDArray[Any], loss: ValueLossName | Loss, delta: float, coverage: float) -> None:
        super().__init__()
        mean, deviation = mean_and_deviation(targets)
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("deviation", deviation, persistent=False)
        tail = (1 - coverage) / 2
        self.register_buffer("levels", torch.tensor([tail, 0.5, 1 - tail]), persistent=False)
        self.mean: Tensor
        self.deviation: Tensor
        self.levels: Tensor
        self._loss, self._delta = loss, delta

    def forward(self, outputs: Tensor, targets: Tensor, reduction: Reduction = "mean") -> Tensor:
        losses = self._losses(outputs, targets)
        return losses.sum() if reduction == "sum" else losses.mean()

    def weight(self, targets: Tensor) -> Tensor | float:
        return len(targets)

    def judge(self, outputs: Tensor, targets: Tensor) -> Judged:
        """Scores are absolute errors: in the unit of the target, or where there are several, in deviations."""
        middle = outputs.reshape(len(targets), targets.shape[1], -1).median(dim=2).values
        errors = (middle - targets).abs()
        scores = errors[:, 0] if targets.shape[1] == 1 else (errors / self.deviation).mean(dim=1)
        return Judged(self._losses(outputs, targets), torch.ones_like(scores), scores)

    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """(B,) mean over the targets."""
        said = (outputs.reshape(len(targets), len(self.mean), -1) - self.mean[:, None]) / self.deviation[:, None]
        true = (targets - self.mean) / self.deviation
        if not isinstance(self._loss, str):
            return self._loss.of(said.flatten(1), true)
        if self._loss == "quantile":
            return _pinball(true[:, :, None] - said, self.levels).sum(dim=2).mean(dim=1)
        if self._loss == "squared":
            return functional.mse_loss(said[:, :, 0], true, reduction="none").mean(dim=1)
        return functional.huber_loss(said[:, :, 0], true, reduction="none", delta=self._delta).mean(dim=1)


def _pinball(above: Tensor, levels: Tensor) -> Tensor:
    """Least at the quantiles of these levels. Source: Koenker and Bassett 1978.

    Args: above: (B, T, Q) truth minus what was said.
    """
    return torch.maximum(levels * above, (levels - 1) * above)
