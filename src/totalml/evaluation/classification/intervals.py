"""Intervals of every metric of classes, from resampling the test samples with replacement."""

from collections.abc import Callable

import numpy as np

from totalml.evaluation.arrays import Floats
from totalml.evaluation.bootstrap import percentiles, resample_counts
from totalml.evaluation.classification.scores import Figures, Scores
from totalml.evaluation.classification.weighted import WeightedMetrics


def bounds(scores: Scores, point: Figures, resamples: int, confidence: float, seed: int) -> tuple[Figures, Figures]:
    """Lower and upper bound of every figure of `point`; NaN without resamples or where none defines it."""
    if resamples == 0:
        nothing = _each(point, lambda values: np.full_like(values, np.nan))
        return nothing, nothing
    drawn = bootstrap(scores, resamples, seed)
    low = _each(drawn, lambda values: percentiles(values, confidence)[0])
    return low, _each(drawn, lambda values: percentiles(values, confidence)[1])


def bootstrap(scores: Scores, resamples: int, seed: int) -> Figures:
    """The metrics of `resamples` resamples; the same for the same seed on every machine."""
    metrics = WeightedMetrics(scores)
    parts = [metrics.of(counts) for counts in resample_counts(len(scores.labels), resamples, seed)]
    return Figures(
        {name: np.concatenate([part.overall[name] for part in parts]) for name in parts[0].overall},
        {name: np.concatenate([part.per_class[name] for part in parts]) for name in parts[0].per_class},
    )


def _each(figures: Figures, change: Callable[[Floats], Floats]) -> Figures:
    return Figures(
        {name: change(values) for name, values in figures.overall.items()},
        {name: change(values) for name, values in figures.per_class.items()},
    )
