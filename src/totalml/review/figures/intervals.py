"""Shares with intervals: exact where each sample counts alike, by linearisation where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from totalml.evaluation.interval import Interval
from totalml.evaluation.shares import wilson, z_of
from totalml.monitoring.bounds import most_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.evaluation.arrays import Floats

CONFIDENCE = 0.95
NOTHING = Interval(None, note="nothing was judged")


def exact(hits: int, count: int, confidence: float = CONFIDENCE) -> Interval:
    """Source: Clopper and Pearson 1934."""
    if not count:
        return NOTHING
    tail = (1 - confidence) / 2
    return Interval(hits / count, 1 - most_share(count - hits, count, tail), most_share(hits, count, tail))


def weighted(hits: NDArray[np.bool_], weights: Floats, confidence: float = CONFIDENCE, looked_at: int = 1) -> Interval:
    """The share of a population that samples stand for, each for as many as its weight.

    Its variance is that of a ratio, by linearisation; the bounds are Wilson's of as many samples as would show it
    alike, so that they stay within 0 and 1. Never of more than there are, since rare heavy samples hide their spread.

    Args: hits, weights: (N,), weights above 0. looked_at: intervals that are to hold all at once.
    Source: Hajek 1971; Korn and Graubard 1998.
    """
    if not len(hits):
        return NOTHING
    shares = weights / weights.sum()
    mean = float(shares @ hits)
    variance = float(((shares * (hits - mean)) ** 2).sum()) * len(hits) / max(1, len(hits) - 1)
    alike = 1 / float((shares**2).sum())  # Kish 1965
    count = min(mean * (1 - mean) / variance, len(hits)) if variance > 0 else alike
    low, high = wilson(np.array([mean * count]), np.array([count]), z_of(confidence, looked_at))
    return Interval(mean, min(mean, max(0.0, float(low[0]))), max(mean, min(1.0, float(high[0]))))
