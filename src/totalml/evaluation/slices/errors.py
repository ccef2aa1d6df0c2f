"""What is looked at in each group: how often the model errs, or by how much; and the chance of as much of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import erfc
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.interval import Interval
from totalml.evaluation.shares import chance_of_as_many, gap_bounds, wilson

Bools = NDArray[np.bool_]


class Population(Protocol):
    """Samples in groups, from each of which cells are drawn."""

    def chance(self, cells: Ints, kept: Ints) -> Floats:
        """(S,) of as much error in a cell as there is, were it drawn from its group.

        Args:
            cells: (N,) the cell of each sample, -1: none; every cell lies within one group.
            kept: (S,) the cells to tell of.
        """


class Described(NamedTuple):
    """Of a group: the figure, the same minus that of all others, and where answers are numbers the mean error."""

    value: Interval
    gap: Interval
    bias: Interval | None = None


class Errors(ABC):
    """Of N samples.

    Args: figure: what a group is told by.
    """

    figure: ClassVar[str]
    lower_is_better: ClassVar[bool]
    unit: float = 1.0  # of the values, that the least gap is given in

    @property
    @abstractmethod
    def values(self) -> NDArray[Any]:
        """(N,) 0 and more; how wrong each sample is."""

    @abstractmethod
    def take(self, rows: Bools) -> Errors: ...

    @abstractmethod
    def among(self, groups: Ints) -> Population:
        """Args: groups: (N,) the group of each sample; -1: none."""

    @abstractmethod
    def described(self, inside: Bools, z: float) -> Described:
        """The samples inside beside all others; bounds so many standard errors wide."""

    def among_all(self) -> Population:
        return self.among(np.zeros(len(self.values), np.int64))


@dataclass(frozen=True)
class WrongAnswers(Errors):
    """Args: wrong: (N,)."""

    figure: ClassVar[str] = "accuracy"
    lower_is_better: ClassVar[bool] = False

    wrong: Bools

    @property
    def values(self) -> Bools:
        return self.wrong

    def take(self, rows: Bools) -> WrongAnswers:
        return WrongAnswers(self.wrong[rows])

    def among(self, groups: Ints) -> Population:
        return _Counted(self.wrong, groups)

    def described(self, inside: Bools, z: float) -> Described:
        count, right = (np.array([part.sum()], np.int64) for part in (inside, inside & ~self.wrong))
        others, other_right = len(inside) - count, (~self.wrong).sum() - right
        share, other = float(right[0] / count[0]), float(other_right[0] / others[0])
        value = _interval(share, *wilson(right, count, z))
        return Described(value, _interval(share - other, *gap_bounds(right, count, other_right, others, z)))


@dataclass(frozen=True)
class ErrorSizes(Errors):
    """Groups are told apart by ranks, whose chance no skew of the errors moves and no few samples; told by means.

    Args:
        signed: (N,) what was said minus what is true.
        sizes: (N,) how far off that is.
        unit: a deviation of the truth.
    """

    figure: ClassVar[str] = "mae"
    lower_is_better: ClassVar[bool] = True

    signed: Floats
    sizes: Floats
    unit: float = 1.0

    @property
    def values(self) -> Floats:
        return self.sizes

    def take(self, rows: Bools) -> ErrorSizes:
        return ErrorSizes(self.signed[rows], self.sizes[rows], self.unit)

    def among(self, groups: Ints) -> Population:
        return Ranked(self.sizes, groups)

    def described(self, inside: Bools, z: float) -> Described:
        value, gap = mean_beside_others(self.sizes, inside, z)
        return Described(value, gap, mean_beside_others(self.signed, inside, z)[0])


def mean_beside_others(values: Floats, inside: Bools, z: float) -> tuple[Interval, Interval]:
    """Mean of those inside, and minus that of all others; unequal variances (Welch 1947), in the limit of many.

    Without bounds where a side is a single sample, which shows no spread.
    """
    means, variances = [], []
    for part in (values[inside], values[~inside]):
        means.append(float(part.mean()))
        variances.append(float(part.var(ddof=1)) / len(part) if len(part) > 1 else np.inf)
    reach, apart = z * variances[0] ** 0.5, z * sum(variances) ** 0.5
    return _within(means[0], reach), _within(means[0] - means[1], apart)


class _Counted:
    """Exact: how many wrong ones are drawn."""

    def __init__(self, wrong: Bools, groups: Ints) -> None:
        self._wrong, self._groups = wrong, groups
        inside = groups >= 0
        self._count, self._errors = np.bincount(groups[inside]), np.bincount(groups[inside & wrong])
        self._errors = np.pad(self._errors, (0, len(self._count) - len(self._errors)))

    def chance(self, cells: Ints, kept: Ints) -> Floats:
        inside = cells >= 0
        count = np.bincount(cells[inside], minlength=_wide(kept))[kept]
        errors = np.bincount(cells[inside & self._wrong], minlength=_wide(kept))[kept]
        group = _group_of(cells, self._groups)[kept]
        return chance_of_as_many(errors, count, self._errors[group], self._count[group])


class Ranked:
    """The rank-sum test of larger values in a cell than in the rest of its group, with ties.

    Source: Wilcoxon 1945; Mann and Whitney 1947. Its normal tail is too heavy, not too light, where samples are few.

    Args: values: (N,); groups: (N,), -1: none.
    """

    def __init__(self, values: Floats, groups: Ints) -> None:
        self._groups = groups
        order = np.lexsort((values, groups))
        sorted_groups, sorted_values = groups[order], values[order]
        begins = np.diff(sorted_groups, prepend=-2) != 0
        starts = np.flatnonzero(begins | (np.diff(sorted_values, prepend=np.nan) != 0))
        alike = np.diff(starts, append=len(values))
        first = np.maximum.accumulate(np.where(begins, np.arange(len(values)), 0))[starts]
        self._ranks = np.empty(len(values))
        self._ranks[order] = np.repeat(starts - first + (alike + 1) / 2, alike)
        whole = sorted_groups[starts] + 1  # those in no group come first
        self._count = np.bincount(groups + 1)[1:]
        self._ties = np.bincount(whole, alike.astype(np.float64) ** 3 - alike, len(self._count) + 1)[1:]

    def chance(self, cells: Ints, kept: Ints) -> Floats:
        inside = cells >= 0
        count = np.bincount(cells[inside], minlength=_wide(kept))[kept]
        total = np.bincount(cells[inside], self._ranks[inside], _wide(kept))[kept]
        group = _group_of(cells, self._groups)[kept]
        size, ties = self._count[group].astype(np.float64), self._ties[group]
        spread = size + 1 - ties / np.maximum(size * (size - 1), 1)
        variance = count * (size - count) * spread / 12
        above = total - count * (size + 1) / 2 - 0.5
        chance = np.ones(len(kept))
        some = variance > 1e-9
        chance[some] = [erfc(z / 2**0.5) / 2 for z in above[some] / np.sqrt(variance[some])]
        return chance


def _group_of(cells: Ints, groups: Ints) -> Ints:
    """Of each cell."""
    found = np.zeros(max(int(cells.max(initial=-1)) + 1, 1), np.int64)
    inside = cells >= 0
    found[cells[inside]] = groups[inside]
    return found


def _wide(kept: Ints) -> int:
    return int(kept.max(initial=-1)) + 1


def _within(value: float, reach: float) -> Interval:
    return Interval(value, value - reach, value + reach) if np.isfinite(reach) else Interval(value)


def _interval(value: float, low: Floats, high: Floats) -> Interval:
    return Interval(value, float(low[0]), float(high[0]))
