"""How far the shares of categories are from those of the reference; what is missing is a category too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from totalml.monitoring.moves import Move

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.observations import Categories

    Codes = NDArray[np.int32]
    Counts = NDArray[np.float64]
    Ones = NDArray[np.int8]
    Rows = tuple[NDArray[np.intp], NDArray[np.intp]]
    Sums = NDArray[np.intp]

MISSING, OTHERS = "missing", "others"
MOST, LEAST = 64, 5  # categories told apart; rows of both together that one has, or it is among the others


@dataclass(frozen=True)
class CountStatistic:
    """Pearson's chi-square of one column.

    Args:
        name: of the column.
        groups: G names.
        before, now: (G,) rows of reference and window in each.
        pooled: (N,) group of those rows of both which are permuted.
        told: the group to tell of; None: the one whose share moved most.
    """

    name: str
    groups: tuple[str, ...]
    before: Counts
    now: Counts
    pooled: Codes
    told: int | None = None

    def permuted(self, ones: Ones) -> Counts:
        """(B,) of each assignment (N, B)."""
        drawn = self._members.T @ ones.astype(np.float32)
        return chi_square(self._members.sum(axis=0, dtype=np.float64)[:, None], drawn.astype(np.float64))

    @property
    def seen(self) -> float:
        """Of all rows."""
        return float(chi_square((self.before + self.now)[:, None], self.now[:, None])[0])

    def move(self, p: float) -> Move:
        before, now = (counts / max(counts.sum(), 1) for counts in (self.before, self.now))
        told = int(np.abs(now - before).argmax()) if self.told is None else self.told
        return Move(self.name, "chi-square", self.seen, p, float(before[told]), float(now[told]), self.groups[told])

    @cached_property
    def _members(self) -> NDArray[np.float32]:
        """(N, G) 1 where a row is in the group."""
        return (self.pooled[:, None] == np.arange(len(self.groups))).astype(np.float32)


def chi_square(both: Counts, drawn: Counts) -> Counts:
    """Args: both: (G, 1) rows in each group; drawn: (G, B) those of them which are in the window.

    Returns: (B,) with G - 1 degrees of freedom; 0 where either side has no row.
    """
    total, size = both.sum(), drawn.sum(axis=0)
    moved = (drawn - both * size / max(total, 1)) ** 2
    sizes = size * (total - size)
    of_groups = np.divide(moved, both, out=np.zeros_like(moved), where=both > 0).sum(axis=0)
    return np.divide(total**2 * of_groups, sizes, out=np.zeros_like(of_groups), where=sizes > 0)


def of_missing(name: str, before: NDArray[np.bool_], now: NDArray[np.bool_], rows: Rows) -> CountStatistic | None:
    """Whether values, which are missing where it says so, are missing more often.

    Args: rows: of reference and window that are permuted.
    Returns: None: too few are missing to say.
    """
    pooled = np.concatenate([before[rows[0]], now[rows[1]]]).astype(np.int32)
    if pooled.sum() < (LEAST if len(pooled) < len(before) + len(now) else 1):
        return None
    before_counts, now_counts = (np.array([len(each) - each.sum(), each.sum()], np.float64) for each in (before, now))
    return CountStatistic(name, ("there", MISSING), before_counts, now_counts, pooled, told=1)


def of_categories(name: str, before: Categories, now: Categories, rows: Rows) -> CountStatistic:
    """Args: rows: of reference and window that are permuted."""
    names = tuple(dict.fromkeys((*before.names, *now.names)))
    codes = [_recoded(each, names) for each in (before, now)]
    pooled = np.concatenate([each[some] for each, some in zip(codes, rows, strict=True)])
    counts = np.stack([np.bincount(each, minlength=len(names) + 1) for each in (*codes, pooled)])
    group_of, groups = _grouped((*names, MISSING), counts[0] + counts[1], counts[2])
    before_counts, now_counts = (np.bincount(group_of, each, len(groups)).astype(np.float64) for each in counts[:2])
    return CountStatistic(name, groups, before_counts, now_counts, group_of[pooled])


def _recoded(categories: Categories, names: tuple[str, ...]) -> Codes:
    """(N,) rows of `names`, and of one behind them where missing."""
    places = {name: place for place, name in enumerate(names)}
    table = np.array([*(places[name] for name in categories.names), len(names)], np.int32)
    return table[categories.codes]  # -1 is the last


def _grouped(names: tuple[str, ...], all_rows: Sums, pooled: Sums) -> tuple[Codes, tuple[str, ...]]:
    """Group of each category, and the groups' names.

    Chosen by what both sides have together: a choice that knows the sides would be part of what is tested.

    Args: all_rows, pooled: of each category, and of these those that are permuted.
    """
    often = sorted((-int(pooled[code]), names[code], code) for code in np.flatnonzero(pooled >= LEAST))
    kept = [code for _, _, code in often[:MOST]]
    rest, rest_pooled = (int(counts.sum() - counts[kept].sum()) for counts in (all_rows, pooled))
    # A sample in which hardly one is left does not tell how their number varies; they go with the rarest then.
    alone = rest and (rest == rest_pooled or rest_pooled >= LEAST)
    told = kept if alone or not rest else kept[:-1]
    groups = (*(names[code] for code in told), *((OTHERS,) if rest else ()))
    group_of = np.full(len(names), max(len(groups) - 1, 0), np.int32)
    group_of[told] = np.arange(len(told))
    return group_of, groups or (OTHERS,)
