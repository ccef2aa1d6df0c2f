"""Percentile intervals from resampling the test samples with replacement.

Resampling adds noise of its own, so the interval of the calibration error lies a little high when samples are few.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Floats

Counts = NDArray[np.integer[Any]]  # (R, N) how often each resample holds each sample

# Counts held at once: about 4 MB, and a few times that in temporaries.
CHUNK_ELEMENTS = 1_000_000


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


def _percentile(values: Floats, percent: float) -> Floats:
    """Over the resamples where the metric is defined: (R, ...) -> (1, ...)."""
    columns = values.reshape(len(values), -1)
    defined = ~np.isnan(columns).all(axis=0)
    result = np.full(columns.shape[1], np.nan)
    if defined.any():
        result[defined] = np.nanpercentile(columns[:, defined], percent, axis=0)
    return result.reshape(1, *values.shape[1:])
