"""Which rows of a reference and a window are permuted where there are too many for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Indices = NDArray[np.intp]
    Units = NDArray[np.int64]


def sampled(before: int | Units, now: int | Units, most: int, rng: np.random.Generator) -> tuple[Indices, Indices]:
    """Rows of either side, at most so many of each.

    Where rows come together, all units are kept with fewer rows each, on both sides as many at most: units of one side
    that are thinner than those of the other would not be alike.

    Args: before, now: how many rows, or (N,) the unit of each.
    """
    turns = [_turns(side, rng) for side in (before, now)]
    deep = min(_depth(each, most) for each in turns)
    first, second = (_some(np.flatnonzero(each < deep), most, rng) for each in turns)
    return first, second


def _turns(side: int | Units, rng: np.random.Generator) -> Indices:
    """(N,) which of the rows of its unit each is, in random order; 0 where each stands by itself."""
    if isinstance(side, int):
        return np.zeros(side, np.intp)
    order = np.lexsort((rng.random(len(side)), side))
    starts = np.flatnonzero(np.append(True, np.diff(side[order]) != 0))
    turns = np.empty(len(side), np.intp)
    turns[order] = np.arange(len(side)) - np.repeat(starts, np.diff(np.append(starts, len(side))))
    return turns


def _depth(turns: Indices, most: int) -> int:
    """Rows of each unit that can be kept, at least one."""
    return max(int(np.searchsorted(np.bincount(turns).cumsum(), most, "right")), 1)


def _some(rows: Indices, most: int, rng: np.random.Generator) -> Indices:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))
