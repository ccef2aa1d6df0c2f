"""Means over pictures with their intervals, by resampling the pictures."""

from __future__ import annotations

import numpy as np

from totalml.evaluation.bootstrap import resample_counts
from totalml.evaluation.interval import Interval
from totalml.evaluation.scores import Floats


def mean_intervals(values: Floats, resamples: int, confidence: float, seed: int) -> list[Interval]:
    """One for each column of `values`, (n, V); without bounds where resamples is 0.

    Args: values: n is 1 or more.
    """
    means = values.mean(axis=0)
    if resamples == 0:
        return [Interval(float(mean)) for mean in means]
    drawn = np.concatenate([counts @ values for counts in resample_counts(len(values), resamples, seed)]) / len(values)
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail], axis=0)
    return [Interval(*map(float, one)) for one in zip(means, low, high, strict=True)]
