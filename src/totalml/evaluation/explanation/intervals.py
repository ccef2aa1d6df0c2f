"""Means with their intervals, by resampling what they are means of."""

from __future__ import annotations

import numpy as np

from totalml.evaluation.arrays import Floats
from totalml.evaluation.bootstrap import resample_counts
from totalml.evaluation.interval import Interval
from totalml.recipe import EvaluationRecipe


def mean_intervals(values: Floats, evaluation: EvaluationRecipe, seed: int) -> list[Interval]:
    """One for each column of `values`, (n, V) with n from 1; without bounds where the recipe asks for no resamples."""
    means = values.mean(axis=0).tolist()
    if evaluation.bootstrap == 0:
        return [Interval(mean) for mean in means]
    drawn = [counts @ values for counts in resample_counts(len(values), evaluation.bootstrap, seed)]
    tail = 100 * (1 - evaluation.confidence) / 2
    low, high = np.percentile(np.concatenate(drawn) / len(values), [tail, 100 - tail], axis=0).tolist()
    return [Interval(*bounds) for bounds in zip(means, low, high, strict=True)]
