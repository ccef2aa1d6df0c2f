"""Predictions of one model on one set of samples, label by label."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Floats, Ints

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class LabelScores:
    """Args:
    true, said: (N, L) which labels a sample has, and which are said of it.
    probabilities: (N, L) in [0, 1].
    bins: of the calibration error.
    """

    true: Flags
    said: Flags
    probabilities: Floats
    bins: int

    @cached_property
    def right(self) -> Flags:
        """(N, L)."""
        right: Flags = self.true == self.said
        return right

    @cached_property
    def all_right(self) -> Flags:
        """(N,) whether every label of a sample is right."""
        every: Flags = self.right.all(axis=1)
        return every

    @cached_property
    def bin_of(self) -> Ints:
        """(N, L) calibration bin of each probability; 1.0 falls in the last."""
        inner = np.linspace(0, 1, self.bins + 1, dtype=np.float32)[1:-1]
        return np.searchsorted(inner, self.probabilities.astype(np.float32), side="right").astype(np.int64)

    @property
    def labels(self) -> int:
        return int(self.true.shape[1])
