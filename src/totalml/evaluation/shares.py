"""Intervals of shares and of their differences, and the chance of that many errors; whole arrays at once.

Closed forms, not resampling: a slice of thirty samples without an error would get an interval of no width.
"""

from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Floats, Ints, ratio

Numbers = NDArray[np.number[Any]]
# Elements of a table of tail terms held at once: 16 MB each, and a few of them.
CHUNK_ELEMENTS = 2_000_000


def z_of(confidence: float, looked_at: int = 1) -> float:
    """Half the width, in standard errors, of intervals that hold for all that was looked at, all at once."""
    return NormalDist().inv_cdf(1 - (1 - confidence) / (2 * max(1, looked_at)))


def wilson(hits: Numbers, count: Numbers, z: float) -> tuple[Floats, Floats]:
    """Bounds of hits / count, NaN where count is 0. Source: Wilson 1927."""
    share = ratio(hits, count)
    middle = share + ratio(np.full(count.shape, z * z / 2), count)
    spread = z * np.sqrt(ratio(share * (1 - share), count) + ratio(np.full(count.shape, z * z / 4), count**2.0))
    whole = 1 + ratio(np.full(count.shape, z * z), count)
    low, high = (middle - spread) / whole, (middle + spread) / whole
    # Rounding would leave a trifle beside the edges.
    return np.where(hits == 0, np.minimum(low, 0.0), low), np.where(hits == count, np.maximum(high, 1.0), high)


def gap_bounds(
    hits: Numbers, count: Numbers, other_hits: Numbers, other_count: Numbers, z: float
) -> tuple[Floats, Floats]:
    """Bounds of hits / count - other_hits / other_count. Source: Newcombe 1998, method 10."""
    share, other = ratio(hits, count), ratio(other_hits, other_count)
    (low, high), (other_low, other_high) = wilson(hits, count, z), wilson(other_hits, other_count, z)
    gap = share - other
    return gap - np.hypot(share - low, other_high - other), gap + np.hypot(high - share, other - other_low)


def paired_bounds(gained: Ints, lost: Ints, count: Ints, z: float) -> tuple[Floats, Floats]:
    """Bounds of (gained - lost) / count, two models on the same samples. Source: Agresti and Min 2005.

    With half a sample more in each of the four cells, so that no change among few does not look like certainty.
    """
    plus, minus, whole = gained + 0.5, lost + 0.5, count + 2.0
    change = (plus - minus) / whole
    spread = z * np.sqrt(plus + minus - (plus - minus) ** 2 / whole) / whole
    return np.maximum(change - spread, -1.0), np.minimum(change + spread, 1.0)


def chance_as_uneven(gained: Ints, lost: Ints) -> Floats:
    """(S,) the chance that as many fair coins fall as unevenly, either way; exact. Source: McNemar 1947."""
    total, fewer = gained + lost, np.minimum(gained, lost)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, int(total.max(initial=0)) + 1)))])
    sums = [
        np.exp(_choose(whole, np.arange(few + 1), logs) - whole * np.log(2)).sum()
        for whole, few in zip(total, fewer, strict=True)
    ]
    return (2 * np.array(sums, np.float64)).clip(max=1.0)


def mean_variance(count: Numbers, total: Numbers, squares: Numbers, expected: Numbers) -> Floats:
    """Variance of the mean of `probability - outcome`, NaN where count is 0.

    The larger of what the samples show and of what their probabilities expect, so that no mistake among few samples
    does not look like certainty.

    Args: count, and sums over the samples: of the terms, of their squares, of p (1 - p).
    """
    shown = ratio(squares, count) - ratio(total, count) ** 2
    return ratio(np.maximum(shown, ratio(expected, count)), count)


def mean_bounds(mean: Floats, variance: Floats, z: float) -> tuple[Floats, Floats]:
    spread = z * np.sqrt(variance)
    return mean - spread, mean + spread


def chance_of_as_many(errors: Ints, count: Ints, all_errors: Ints, all_count: Ints) -> Floats:
    """The chance that `count` samples drawn from `all_count` hold `errors` or more of all the errors.

    Exact, one-sided (Fisher); 1 where there are no more errors than a fair share.

    Args: (S,) each; the drawn are part of all.
    """
    chance = np.ones(len(errors))
    share = ratio(all_errors, all_count)
    variance = count * share * (1 - share) * ratio(all_count - count, all_count - 1)
    more = np.flatnonzero((errors > count * share) & (variance > 0))
    if not len(more):
        return chance
    # From here on each term is smaller than the one before; twelve deviations on, they no longer matter.
    width = int(12 * np.sqrt(variance[more].max())) + 40
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, int(all_count.max()) + 1)))])
    step = max(1, CHUNK_ELEMENTS // width)
    for start in range(0, len(more), step):
        rows = more[start : start + step]
        drawn, hits, size, whole = (part[rows, None] for part in (count, errors, all_errors, all_count))
        chance[rows] = _tail(hits, drawn, size, whole, width, logs)
    return chance.clip(max=1.0)


def holm(chances: Floats) -> Floats:
    """Corrected for their number: calling those below a level finds even one by chance at most that often.

    Source: Holm 1979. Whatever the chances have to do with each other.
    """
    order = np.argsort(chances, kind="stable")
    factors = len(chances) - np.arange(len(chances))
    corrected = np.empty(len(chances))
    corrected[order] = np.maximum.accumulate(chances[order] * factors).clip(max=1.0)
    return corrected


def _tail(errors: Ints, count: Ints, all_errors: Ints, all_count: Ints, width: int, logs: Floats) -> Floats:
    """(S, 1) each -> (S,) sum of the first `width` hypergeometric terms from `errors` on."""
    found = errors + np.arange(width)
    possible = found <= np.minimum(count, all_errors)
    found = np.where(possible, found, errors)
    terms = _choose(all_errors, found, logs) + _choose(all_count - all_errors, count - found, logs)
    terms = np.exp(terms - _choose(all_count, count, logs))
    total: Floats = (terms * possible).sum(axis=1)
    return total


def _choose(whole: Ints, part: Ints, logs: Floats) -> Floats:
    """Logarithm of the binomial coefficient."""
    result: Floats = logs[whole] - logs[part] - logs[whole - part]
    return result
