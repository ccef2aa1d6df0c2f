"""A metric of one's own: an ordinary `torchmetrics.Metric`."""

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric


class MeanSureness(Metric):
    """How sure the model is of its answers, on average: the mean of the highest probability."""

    higher_is_better = None
    total: Tensor
    count: Tensor

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_state("total", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, answers: Tensor, truth: Tensor) -> None:
        """Args: answers: (B, K) probabilities; truth: (B,), not looked at."""
        self.total += answers.max(dim=1).values.double().sum()
        self.count += len(answers)

    def compute(self) -> Tensor:
        return self.total / self.count
