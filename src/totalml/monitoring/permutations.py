"""What could have been the window: the same rows, parted otherwise, and how often that moves as far as what was seen.

All statistics are looked at under the same permutations, so how they hang together is known and costs no power.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Indices = NDArray[np.intp]
    Ones = NDArray[np.int8]
    Statistics = NDArray[np.float64]

TIE = 1e-5  # relative: sums of the same terms in another order differ in their last digits, and are as large


def assignments(units: Indices, chosen: int, count: int, rng: np.random.Generator) -> Ones:
    """Which rows are the window, by chance.

    Args:
        units: (N,) of each row, 0..U-1; those of one unit come together.
        chosen: units that are the window, fewer than U.
        count: B, of permutations.
    Returns: (N, B) 1 where a row is in the window, else 0.
    """
    keys = rng.random((count, int(units.max()) + 1))
    limit = np.partition(keys, chosen, axis=1)[:, chosen, None]
    return np.ascontiguousarray((keys < limit).T).view(np.int8).take(units, axis=0)


def adjusted(statistics: Statistics) -> tuple[Indices, Statistics]:
    """p of each statistic, adjusted for all of them; the least is the p of all together.

    By ranks each statistic is alike, and where several have a permutation that moved most, the one that stands out
    furthest counts: so the least p does not grow with the number of statistics.

    Args:
        statistics: (S, 1 + B) at least 0, quadratic in what moved; the first is what was seen.
    Returns: (S,) rows of the statistics, the unlikeliest first, and (S,) their p in that order, in 1 / (1 + B)..1.
    Source: Westfall and Young 1993, step-down minP (algorithm 2.8); the cube root of Wilson and Hilferty 1931.
    """
    keys = np.stack([_unlikely(each) for each in statistics])
    first = np.argsort(keys[:, 0], kind="stable")
    least = np.minimum.accumulate(keys[first][::-1], axis=0)[::-1]
    p = np.mean(least <= least[:, :1] + TIE, axis=1)
    return first, np.maximum.accumulate(p)


def lacking(before: int, now: int, level: float) -> int:
    """How many more units a window wants, so that the least p which their permutations reach is below the level."""
    # Where all ways to part them are drawn again and again, the one that was seen comes up as often as any other.
    more, ways = 0, _ways(before, now)
    while ways * level <= 1:
        more += 1
        ways = _ways(before, now + more)
    return more


def _unlikely(statistic: NDArray[np.float64]) -> NDArray[np.float64]:
    """(1 + B) how many are at least as large, and within one rank the less the further it stands out."""
    largest = np.sort(statistic)
    ranks = len(statistic) - np.searchsorted(largest, statistic * (1 - TIE))
    root = np.cbrt(statistic)
    spread = root.std()
    far = (root - root.mean()) / spread if spread > TIE * root.mean() else np.zeros_like(root)
    return ranks - 0.5 * (1 + far / (1 + np.abs(far)))


def _ways(before: int, now: int) -> float:
    """To part that many units; not told apart beyond what any level asks for."""
    ways = 1.0
    for each in range(1, min(before, now) + 1):
        ways *= (max(before, now) + each) / each
        if ways > 1e12:
            break
    return ways
