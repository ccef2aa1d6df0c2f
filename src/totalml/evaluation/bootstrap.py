"""Percentile intervals from resampling the test samples with replacement.

Resampling adds noise of its own, so the interval of the calibration error lies a little high when samples are few.
"""

from collections.abc import Callable, Iterator

import numpy as np

from totalml.evaluation.interval import Interval
from totalml.evaluation.scores import Figures, Floats, Scores
from totalml.evaluation.weighted import Counts, WeightedMetrics
from totalml.recipe import EvaluationRecipe

# Counts held at once: about 4 MB, and a few times that in temporaries.
CHUNK_ELEMENTS = 1_000_000


def bounds(scores: Scores, point: Figures, resamples: int, confidence: float, seed: int) -> tuple[Figures, Figures]:
    """Lower and upper bound of every figure of `point`; NaN without resamples or where none defines it."""
    if resamples == 0:
        nothing = _each(point, lambda values: np.full_like(values, np.nan))
        return nothing, nothing
    drawn = bootstrap(scores, resamples, seed)
    low = _each(drawn, lambda values: percentiles(values, confidence)[0])
    return low, _each(drawn, lambda values: percentiles(values, confidence)[1])


def mean_intervals(values: Floats, evaluation: EvaluationRecipe, seed: int) -> list[Interval]:
    """One for each column of `values`, (n, V) with n from 1; without bounds where the recipe asks for no resamples."""
    means = values.mean(axis=0).tolist()
    if evaluation.bootstrap == 0:
        return [Interval(mean) for mean in means]
    drawn = [counts @ values for counts in resample_counts(len(values), evaluation.bootstrap, seed)]
    tail = 100 * (1 - evaluation.confidence) / 2
    low, high = np.percentile(np.concatenate(drawn) / len(values), [tail, 100 - tail], axis=0).tolist()
    return [Interval(*bounds) for bounds in zip(means, low, high, strict=True)]


def bootstrap(scores: Scores, resamples: int, seed: int) -> Figures:
    """The metrics of `resamples` resamples; the same for the same seed on every machine."""
    metrics = WeightedMetrics(scores)
    parts = [metrics.of(counts) for counts in resample_counts(len(scores.labels), resamples, seed)]
    return Figures(
        {name: np.concatenate([part.overall[name] for part in parts]) for name in parts[0].overall},
        {name: np.concatenate([part.per_class[name] for part in parts]) for name in parts[0].per_class},
    )


def resample_counts(samples: int, resamples: int, seed: int) -> Iterator[Counts]:
    """Yield (r, samples) counts until there are `resamples` rows; every row adds up to `samples`."""
    generator = np.random.Generator(np.random.PCG64(seed))
    chunk = max(1, CHUNK_ELEMENTS // samples)
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        drawn = generator.integers(0, samples, (rows, samples))
        drawn += np.arange(rows)[:, None] * samples
        yield np.bincount(drawn.ravel(), minlength=rows * samples).reshape(rows, samples).astype(np.int32)


def percentiles(values: Floats, confidence: float) -> tuple[Floats, Floats]:
    """The middle of (R, ...) resamples: two of (1, ...), NaN where none is defined."""
    tail = 100 * (1 - confidence) / 2
    return _percentile(values, tail), _percentile(values, 100 - tail)


def _each(figures: Figures, change: Callable[[Floats], Floats]) -> Figures:
    return Figures(
        {name: change(values) for name, values in figures.overall.items()},
        {name: change(values) for name, values in figures.per_class.items()},
    )


def _percentile(values: Floats, percent: float) -> Floats:
    """Over the resamples where the metric is defined: (R, ...) -> (1, ...)."""
    columns = values.reshape(len(values), -1)
    defined = ~np.isnan(columns).all(axis=0)
    result = np.full(columns.shape[1], np.nan)
    if defined.any():
        result[defined] = np.nanpercentile(columns[:, defined], percent, axis=0)
    return result.reshape(1, *values.shape[1:])
