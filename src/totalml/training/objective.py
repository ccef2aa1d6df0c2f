"""What training minimises and validation is judged by, in whatever shares a batch comes."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

Reduction = Literal["mean", "sum"]


@dataclass(frozen=True)
class Judged:
    """Of the samples of a validation batch, (B,) each.

    Args:
        losses: times the weight of each.
        scores: whose mean over all samples is the task's score.
    """

    losses: Tensor
    weights: Tensor
    scores: Tensor


class Objective(nn.Module):
    """Its buffers move to the device with the network, and stand in no checkpoint."""

    @abstractmethod
    def forward(self, outputs: Tensor, targets: Tensor, reduction: Reduction = "mean") -> Tensor:
        """The loss of a batch: the mean by weight, or the sum of losses times weights."""

    @abstractmethod
    def weight(self, targets: Tensor) -> Tensor | float:
        """What the mean of a batch of these targets divides the sum by."""

    @abstractmethod
    def judge(self, outputs: Tensor, targets: Tensor) -> Judged:
        """What validation takes the means of."""
