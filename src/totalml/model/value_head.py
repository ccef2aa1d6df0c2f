"""The last layer for numbers: it learns in deviations and answers in the targets' own units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ValueHead(nn.Module):
    """Linear, then scaled by what the training targets are like; nothing behind it ever scales.

    Args:
        targets: T.
        each: outputs of each target.
    """

    def __init__(self, width: int, targets: int, each: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, targets * each)
        self.register_buffer("mean", torch.zeros(targets))
        self.register_buffer("deviation", torch.ones(targets))
        self.mean: Tensor
        self.deviation: Tensor

    def fit(self, targets: NDArray[Any]) -> None:
        """Args: targets: (N, T) of the training rows."""
        mean, deviation = mean_and_deviation(targets)
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)

    def forward(self, embeddings: Tensor) -> Tensor:
        """(B, width) -> (B, T * each), the outputs of one target beside each other."""
        # Not len(), which torch.export takes for a constant.
        raw = self.linear(embeddings).reshape(embeddings.shape[0], len(self.mean), -1)
        return (self.mean[:, None] + self.deviation[:, None] * raw).flatten(1)


def mean_and_deviation(targets: NDArray[Any]) -> tuple[Tensor, Tensor]:
    """(T,) float32 each; computed in float64, and a deviation of 0 taken as 1."""
    values = torch.from_numpy(targets).double()
    deviation = values.std(dim=0, correction=0)
    return values.mean(dim=0).float(), torch.where(deviation > 0, deviation, 1.0).float()
