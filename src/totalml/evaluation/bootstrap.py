"""Percentile intervals from resampling the test samples with replacement.

Resampling adds noise of its own, so the interval of the calibration error lies a little high when samples are few.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.interval import Interval

Counts = NDArray[np.integer[Any]]  # (R, N) how often each resample holds each sample

# Counts held at once: about 4 MB, and a few times that in temporaries.
CHUNK_ELEMENTS = 1_000_000


def mean_intervals(values: Floats, resamples: int, confidence: float, seed: int) -> list[Interval]:
    """One for each column of `values`, (n, V) with n from 1; without bounds where there are no resamples."""
    means = values.mean(axis=0).tolist()
    if resamples == 0:
        return [Interval(mean) for mean in means]
    drawn = [counts @ values for counts in resample_counts(len(values), resamples, seed)]
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(np.concatenate(drawn) / len(values), [tail, 100 - tail], axis=0).tolist()
    return [Interval(*bounds) for bounds in zip(means, low, high, strict=True)]


def resample_counts(samples: int, resamples: int, seed: int, together: Ints | None = None) -> Iterator[Counts]:
    """Yield (r, samples) counts until there are `resamples` rows; every row adds up to `samples`, or about.

    Args: together: (samples,) numbers from 0; samples of one number are drawn together or not at all. None: each alone.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    chunk, drawn_from = max(1, CHUNK_ELEMENTS // samples), samples if together is None else int(together.max()) + 1
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        drawn = generator.integers(0, drawn_from, (rows, drawn_from))
        drawn += np.arange(rows)[:, None] * drawn_from
        counts = np.bincount(drawn.ravel(), minlength=rows * drawn_from).reshape(rows, drawn_from).astype(np.int32)
        yield counts if together is None else counts[:, together]


def percentiles(values: Floats, confidence: float) -> tuple[Floats, Floats]:
    """The middle of (R, ...) resamples: two of (1, ...), NaN where none is defined."""
    tail = 100 * (1 - confidence) / 2
    return _percentile(values, tail), _percentile(values, 100 - tail)


def _percentile(values: Floats, percent: float) -> Floats:
    """Over the resamples where the metric is defined: (R, ...) -> (1, ...)."""
    columns = values.reshape(len(values), -1)
    defined = ~np.isnan(columns).all(axis=0)
    result = np.full(columns.shape[1], np.nan)
    if defined.any():
        result[defined] = np.nanpercentile(columns[:, defined], percent, axis=0)
    return result.reshape(1, *values.shape[1:])
