"""How far the numbers of a window are from those of the reference: the largest gap between their distributions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from totalml.monitoring.moves import Move

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Ones = NDArray[np.int8]

CELLS, OUTSIDE = 65_536, 0.001  # of a grid over all of the reference but that share at either end
CROWDED = 2 * OUTSIDE  # share of the reference in one cell, beyond which the grid is too coarse
SORTED = 50_000  # numbers that are sorted; of more, the gap is looked for at the cells of the grid


@dataclass(frozen=True)
class OrderStatistic:
    """Kolmogorov and Smirnov's of one column. What is missing is left out.

    Args:
        name: of the column.
        before: (R,) of the reference, sorted.
        now: (n,) of the window.
        pooled: (N,) those of both which are permuted; NaN where missing.
    """

    name: str
    before: Numbers
    now: Numbers
    pooled: Numbers

    def permuted(self, ones: Ones) -> Numbers:
        """(B,) of each assignment (N, B), squared and scaled to what does not depend on how many rows there are."""
        rows, last = self._order
        if not len(rows):
            return np.zeros(ones.shape[1])
        counts = ones.take(rows, axis=0).astype(np.int16)
        # A row at a time, for all permutations at once: five times as fast as numpy's cumulative sum along this axis.
        for above, row in pairwise(counts):
            np.add(above, row, out=row)
        drawn = counts[-1].astype(np.float32)
        # Times the number of rows, so that all are whole numbers, which float32 holds without an error.
        gaps = counts[last] * np.float32(len(rows)) if len(last) < len(rows) else counts * np.float32(len(rows))
        gaps -= np.multiply.outer((last + 1).astype(np.float32), drawn if np.ptp(drawn) else drawn[:1])
        widest = np.maximum(gaps.max(axis=0), -gaps.min(axis=0)).astype(np.float64)
        sizes = len(rows) * drawn.astype(np.float64) * (len(rows) - drawn)
        return np.divide(widest**2, sizes, out=np.zeros_like(widest), where=sizes > 0)

    @property
    def seen(self) -> float:
        """As `permuted`, of all rows."""
        both = len(self.before) + len(self.now)
        return self.gap**2 * len(self.before) * len(self.now) / both if both else 0.0

    def move(self, p: float) -> Move:
        before = self.before[(len(self.before) - 1) // 2] if len(self.before) else None
        return Move(self.name, "KS", self.gap, p, None if before is None else float(before), _median(self.now))

    @cached_property
    def gap(self) -> float:
        return ks_distance(self.before, self.now)

    @cached_property
    def _order(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows that have a number, from the least; and of these the last of each number."""
        rows = np.flatnonzero(~np.isnan(self.pooled))
        rows = rows[np.argsort(self.pooled[rows], kind="stable")]
        values = self.pooled[rows]
        return rows, np.flatnonzero(np.append(values[1:] != values[:-1], True)) if len(rows) else rows


def ks_distance(before: Numbers, now: Numbers) -> float:
    """The largest difference of two distribution functions, in 0..1; of many numbers at most 0.002 less.

    Args:
        before: (R,) sorted, without NaN.
        now: (n,) without NaN.
    """
    if not len(before) or not len(now):
        return 0.0
    if len(now) > SORTED and (gap := _gap_of_cells(before, now)) is not None:
        return gap
    now = np.sort(now)
    steps = np.arange(len(now) + 1) / len(now)
    above = steps[1:] - np.searchsorted(before, now, "right") / len(before)
    below = np.searchsorted(before, now, "left") / len(before) - steps[:-1]
    return float(max(above.max(), below.max()))


def _gap_of_cells(before: Numbers, now: Numbers) -> float | None:
    """None: a cell holds too much of the reference to tell."""
    low, high = before[int(OUTSIDE * len(before))], before[int((1 - OUTSIDE) * len(before))]
    if not (np.isfinite(low) and np.isfinite(high) and low < high and np.isfinite(high - low)):
        return None
    scale = (CELLS - 1) / (high - low)
    if not np.isfinite(scale):
        return None
    different = before[np.append(True, before[1:] != before[:-1])]
    shares = _cells(before, low, scale) / len(before)
    if shares[_cells(different, low, scale) > 1].max(initial=0.0) > CROWDED:
        return None
    return float(np.abs(np.cumsum(shares - _cells(now, low, scale) / len(now))).max())


def _cells(values: Numbers, low: float, scale: float) -> NDArray[np.intp]:
    """(CELLS,) how many are in each; those outside are counted at the ends."""
    with np.errstate(over="ignore"):
        places = values - low
        places *= scale
    np.clip(places, 0, CELLS - 1, out=places)
    return np.bincount(places.astype(np.int32), minlength=CELLS)


def _median(values: Numbers) -> float | None:
    """The lower of two in the middle, so it is one of them, infinite or not."""
    middle = (len(values) - 1) // 2
    return float(np.partition(values, middle)[middle]) if len(values) else None
