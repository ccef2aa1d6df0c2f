"""Count every group, and every combination of two groups of different columns, at once.

Scored as SliceLine does (Sagadeeva and Boehm 2021, eq. 1). Our own because the correction for many looks must know how
many there were, and because pairs of a few columns need no lattice search.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.columns import Column
from totalml.evaluation.slices.errors import Bools, Errors, Population

ERROR_WEIGHT = 0.95  # SliceLine's alpha: errors count so much, size the rest


@dataclass(frozen=True)
class Candidates:
    """S slices with enough samples.

    Args:
        columns: (S, 2) places in the list of columns; the second is -1 for a group of one column.
        codes: (S, 2) the groups.
        count, errors: (S,) samples, and how wrong the model is on all of them together.
        chance: (S,) of as much error; for a combination the largest of three: among all samples, among those of its
            first group, and of its second. So it counts only where it is worse than each of the two alone.
    """

    columns: Ints
    codes: Ints
    count: Ints
    errors: Floats
    chance: Floats

    def __len__(self) -> int:
        return len(self.count)

    def scores(self, errors: NDArray[Any]) -> Floats:
        """(S,) SliceLine's score: above 0 is worse than the mean."""
        mean = max(errors.mean(), errors.max() / len(errors)) or 1.0
        relative = self.errors / self.count / mean
        return ERROR_WEIGHT * (relative - 1) - (1 - ERROR_WEIGHT) * (len(errors) / self.count - 1)

    def rows(self, place: int, columns: Sequence[Column]) -> Bools:
        """(N,) which samples are in the slice."""
        inside = np.ones(len(columns[0].codes), np.bool_)
        for column, code in zip(self.columns[place].tolist(), self.codes[place].tolist(), strict=True):
            if column >= 0:
                inside &= columns[column].codes == code
        return inside


def groups(columns: Sequence[Column], errors: Errors, min_support: int) -> Candidates:
    """Every group of every column."""
    whole = errors.among_all()
    return _joined([_singles(k, column, errors, whole, min_support) for k, column in enumerate(columns)])


def combined(columns: Sequence[Column], errors: Errors, min_support: int) -> Candidates:
    """Every group of every column, and every two groups of different columns."""
    whole, within = errors.among_all(), [errors.among(column.codes) for column in columns]
    pairs = [
        _pairs((i, j), columns, errors, (whole, within[i], within[j]), min_support)
        for i, j in combinations(range(len(columns)), 2)
    ]
    return _joined([groups(columns, errors, min_support), *pairs])


def _singles(k: int, column: Column, errors: Errors, whole: Population, min_support: int) -> Candidates:
    count, totals = _totals(column.codes, len(column.values), errors)
    codes = np.flatnonzero(_fits(count, len(errors.values), min_support))
    nothing = np.full_like(codes, -1)
    places = np.stack([np.full_like(codes, k), nothing], 1)
    chance = whole.chance(column.codes, codes)
    return Candidates(places, np.stack([codes, nothing], 1), count[codes], totals[codes], chance)


def _pairs(
    places: tuple[int, int],
    columns: Sequence[Column],
    errors: Errors,
    populations: Sequence[Population],
    min_support: int,
) -> Candidates:
    """Args: populations: all samples, and those in the groups of either column."""
    first, second = (columns[place] for place in places)
    wide = len(second.values)
    pair = np.where((first.codes >= 0) & (second.codes >= 0), first.codes * wide + second.codes, -1)
    count, totals = _totals(pair, len(first.values) * wide, errors)
    cells = np.flatnonzero(_fits(count, len(errors.values), min_support))
    codes = np.stack(np.divmod(cells, max(wide, 1)), 1)
    chances = [population.chance(pair, cells) for population in populations]
    tiled = np.tile(np.array(places), (len(cells), 1))
    return Candidates(tiled, codes, count[cells], totals[cells], np.max(chances, axis=0))


def _totals(codes: Ints, groups: int, errors: Errors) -> tuple[Ints, Floats]:
    inside = codes >= 0
    values = errors.values[inside].astype(np.float64)
    count: Ints = np.bincount(codes[inside], minlength=groups)
    totals: Floats = np.bincount(codes[inside], values, groups).astype(np.float64)
    return count, totals


def _fits(count: Ints, samples: int, min_support: int) -> Bools:
    """Enough samples, and enough others to compare with."""
    fits: Bools = (count >= min_support) & (samples - count >= min_support)
    return fits


def _joined(parts: Sequence[Candidates]) -> Candidates:
    if not parts:
        nothing = np.zeros((0, 2), np.int64)
        return Candidates(nothing, nothing, nothing[:, 0], np.zeros(0), np.zeros(0))
    names = ("columns", "codes", "count", "errors", "chance")
    return Candidates(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
