"""Predicted numbers of one set of samples beside the truth, and by what they are measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.together import taken


@dataclass(frozen=True)
class Values:
    """N samples, T targets; in the targets' own units.

    Args:
        truth, said: (N, T).
        low, high: (N, T) bounds of the intervals; NaN where there are none.
        deviation: (T,) of the training truth: what errors of several targets are told in.
        before: (N, T) truth of the same series a season earlier; NaN where undefined, as below.
        seasonal_error: (N, T) how far that is off on average among the training samples of the series.
        together: (N,) numbers of groups or moments, each of which is one fact; None: each sample is one.
    """

    truth: Floats
    said: Floats
    low: Floats
    high: Floats
    deviation: Floats
    before: Floats
    seasonal_error: Floats
    together: Ints | None = None

    @cached_property
    def errors(self) -> Floats:
        """(N, T) what was said minus the truth."""
        return self.said - self.truth

    @property
    def several(self) -> bool:
        return self.truth.shape[1] > 1

    def taken(self, rows: Ints) -> Values:
        parts = ("truth", "said", "low", "high", "before", "seasonal_error")
        return replace(self, together=taken(self.together, rows), **{part: getattr(self, part)[rows] for part in parts})

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
