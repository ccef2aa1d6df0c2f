"""Figures of a whole test split and of each class or label, with intervals from resampling the samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.bootstrap import Counts, percentiles, resample_counts
from totalml.evaluation.interval import Interval

PAIRED_SEED = 0  # the same two runs give the same interval


@dataclass(frozen=True)
class Figures:
    """Metrics of R weightings of the samples; NaN where undefined.

    Args:
        overall: name -> (R,).
        per_class: name -> (R, K), of each class or label.
    """

    overall: dict[str, Floats]
    per_class: dict[str, Floats]

    def each(self, change: Callable[[Floats], Floats]) -> Figures:
        return Figures(
            {name: change(values) for name, values in self.overall.items()},
            {name: change(values) for name, values in self.per_class.items()},
        )


class Weighted(Protocol):
    def of(self, counts: Counts) -> Figures:
        """Args:
        counts: (R, N), how often each sample stands in each resample; a row adds up to more than 0.
        """


def bounds(
    metrics: Weighted,
    samples: int,
    point: Figures,
    resamples: int,
    confidence: float,
    seed: int,
    together: Ints | None = None,
) -> tuple[Figures, Figures]:
    """Lower and upper bound of every figure of `point`; NaN without resamples or where none defines it.

    Args: together: as of `resample_counts`.
    """
    if resamples == 0:
        nothing = point.each(lambda values: np.full_like(values, np.nan))
        return nothing, nothing
    drawn = bootstrap(metrics, samples, resamples, seed, together)
    low = drawn.each(lambda values: percentiles(values, confidence)[0])
    return low, drawn.each(lambda values: percentiles(values, confidence)[1])


def bootstrap(metrics: Weighted, samples: int, resamples: int, seed: int, together: Ints | None = None) -> Figures:
    """The metrics of `resamples` resamples; the same for the same seed on every machine."""
    return _joined([metrics.of(counts) for counts in resample_counts(samples, resamples, seed, together)])


def paired(
    point: tuple[Figures, Figures],
    metrics: tuple[Weighted, Weighted],
    samples: int,
    resamples: int,
    confidence: float,
    family: str,
    names: Sequence[str],
    together: Ints | None = None,
) -> dict[str, Interval]:
    """Ours minus theirs, with intervals from the same resamples of both.

    Args:
        point, metrics: ours and theirs, on the same samples in one order.
        family, names: what figures of each class or label are called, `<family>.<name>.<figure>`.
        together: as of `resample_counts`.
    """
    found = _difference(*point)
    if resamples:
        ours, theirs = metrics
        drawn = _joined(
            [
                _difference(ours.of(counts), theirs.of(counts))
                for counts in resample_counts(samples, resamples, PAIRED_SEED, together)
            ]
        )
    else:
        drawn = found.each(lambda values: np.full_like(values, np.nan))
    low = drawn.each(lambda values: percentiles(values, confidence)[0])
    high = drawn.each(lambda values: percentiles(values, confidence)[1])
    named = {
        name: interval_of(values[0], low.overall[name][0], high.overall[name][0])
        for name, values in found.overall.items()
    }
    for figure, values in found.per_class.items():
        for k, name in enumerate(names):
            sides = (low.per_class[figure][0, k], high.per_class[figure][0, k])
            named[f"{family}.{name}.{figure}"] = interval_of(values[0, k], *sides)
    return named


def interval_of(value: float, low: float, high: float, note: str | None = None) -> Interval:
    """None in place of NaN."""
    given, lower, upper = (None if np.isnan(each) else float(each) for each in (value, low, high))
    return Interval(given, lower, upper, note)


def _joined(parts: Sequence[Figures]) -> Figures:
    return Figures(
        {name: np.concatenate([part.overall[name] for part in parts]) for name in parts[0].overall},
        {name: np.concatenate([part.per_class[name] for part in parts]) for name in parts[0].per_class},
    )


def _difference(ours: Figures, theirs: Figures) -> Figures:
    """Of the figures that both have."""
    return Figures(
        {name: values - theirs.overall[name] for name, values in ours.overall.items() if name in theirs.overall},
        {name: values - theirs.per_class[name] for name, values in ours.per_class.items()},
    )
