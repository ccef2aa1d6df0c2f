"""Predicted numbers of one set of samples beside the truth, and by what they are measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from totalml.evaluation.arrays import Floats


@dataclass(frozen=True)
class Values:
    """N samples, T targets; in the targets' own units.

    Args:
        truth, said: (N, T).
        low, high: (N, T) bounds of the intervals; NaN where there are none.
        deviation: (T,) of the training truth: what errors of several targets are told in.
        naive: (T,) mean absolute error of the seasonal naive forecast on the training split; NaN where undefined.
    """

    truth: Floats
    said: Floats
    low: Floats
    high: Floats
    deviation: Floats
    naive: Floats

    @cached_property
    def errors(self) -> Floats:
        """(N, T) what was said minus the truth."""
        return self.said - self.truth

    @property
    def several(self) -> bool:
        return self.truth.shape[1] > 1

    def combined(self, errors: Floats) -> Floats:
        """(N, T) -> (N,): of one target as they are, of several the mean in deviations."""
        return mean_over_targets(errors, self.deviation)

    @property
    def unit(self) -> float:
        """How much a deviation is in the unit of `combined`."""
        return 1.0 if self.several else float(self.deviation[0])


def mean_over_targets(figures: Floats, deviation: Floats) -> Floats:
    """(..., T) -> (...): of one target as they are, of several the mean in deviations."""
    if figures.shape[-1] == 1:
        return figures[..., 0]
    mean: Floats = (figures / deviation).mean(axis=-1)
    return mean
