"""How far the numbers of a window are from those of the reference: the largest gap between their distributions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.monitoring.moves import Move

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Ones = NDArray[np.int8]
    Steps = NDArray[np.signedinteger[Any]]

CELLS, OUTSIDE = 65_536, 0.001  # of a grid over all of the reference but that share at either end
CROWDED = 2 * OUTSIDE  # share of the reference in one cell, beyond which the grid is too coarse
AT_ONCE = 32  # columns
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
        return permuted([self], ones)[0]

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
    def order(self) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Rows that have a number, from the least; and which of these are the last of their number."""
        rows = np.flatnonzero(~np.isnan(self.pooled))
        rows = rows[np.argsort(self.pooled[rows], kind="stable")]
        values = self.pooled[rows]
        return rows, np.append(values[1:] != values[:-1], np.ones(min(len(rows), 1), np.bool_))

    @cached_property
    def there(self) -> bytes:
        """The same of columns that lack a number in the same rows."""
        return np.isnan(self.pooled).tobytes()


def permuted(columns: Sequence[OrderStatistic], ones: Ones) -> Numbers:
    """(C, B) of each column, as of `OrderStatistic.permuted`."""
    alike: dict[bytes, list[int]] = {}
    for place, column in enumerate(columns):
        alike.setdefault(column.there, []).append(place)
    found = np.zeros((len(columns), ones.shape[1]))
    for places in alike.values():
        if len(rows := columns[places[0]].order[0]):
            found[places] = _of_same_rows([columns[place] for place in places], rows, ones)
    return found


def _of_same_rows(columns: Sequence[OrderStatistic], rows: NDArray[np.intp], ones: Ones) -> Numbers:
    """A row of the window is a step up, one of the reference a step down, so that all of them together come to 0.

    Steps are the least whole numbers that do, and mostly so small that 16 bits hold every sum of them exactly.
    """
    count, drawn = len(rows), ones.take(rows, axis=0).sum(axis=0, dtype=np.int64)
    unit = math.gcd(count, *np.unique(drawn).tolist())
    sizes = drawn * (count - drawn)
    kind = np.min_scalar_type(-2 - int(sizes.max()) // unit)
    steps: Steps = ones * kind.type(count // unit) - (drawn // unit).astype(kind)
    widest = np.concatenate([_widest(columns[at : at + AT_ONCE], steps) for at in range(0, len(columns), AT_ONCE)])
    squares = (widest.astype(np.float64) * unit) ** 2
    return np.divide(squares, count * sizes, out=np.zeros_like(squares), where=sizes > 0)


def _widest(columns: Sequence[OrderStatistic], steps: Steps) -> Steps:
    """(C, B) how far from 0 a walk along the numbers of a column comes, looked at where a number ends.

    A row of every column and permutation at a time: what is added to then stays in the processor's cache.
    """
    above = np.zeros((len(columns), steps.shape[1]), steps.dtype)
    highest, lowest, step = np.zeros_like(above), np.zeros_like(above), np.empty_like(above)
    rows, ends = (np.stack(each, axis=1) for each in zip(*(column.order for column in columns), strict=True))
    all_end = ends.all(axis=1).tolist()
    for row, ending, whole in zip(rows, ends[:, :, None], all_end, strict=True):
        steps.take(row, axis=0, out=step, mode="clip")
        np.add(above, step, out=above)
        if whole:
            np.maximum(highest, above, out=highest)
            np.minimum(lowest, above, out=lowest)
        else:
            np.maximum(highest, above, out=highest, where=ending)
            np.minimum(lowest, above, out=lowest, where=ending)
    return np.maximum(highest, -lowest)


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
