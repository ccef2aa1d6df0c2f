"""Count every group, and every combination of two groups of different columns, at once.

Scored as SliceLine does (Sagadeeva and Boehm 2021, eq. 1). Our own because the correction for many looks must know how
many there were, and because pairs of a few columns need no lattice search.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.columns import Column
from totalml.evaluation.shares import chance_of_as_many

Bools = NDArray[np.bool_]
ERROR_WEIGHT = 0.95  # SliceLine's alpha: errors count so much, size the rest


@dataclass(frozen=True)
class Candidates:
    """S slices with enough samples.

    Args:
        columns: (S, 2) places in the list of columns; the second is -1 for a group of one column.
        codes: (S, 2) the groups.
        count, errors: (S,) samples, and how many of them the model got wrong.
        chance: (S,) of as many errors; for a combination the largest of three: among all samples, among those of its
            first group, and of its second. So it counts only where it is worse than each of the two alone.
    """

    columns: Ints
    codes: Ints
    count: Ints
    errors: Ints
    chance: Floats

    def __len__(self) -> int:
        return len(self.count)

    def scores(self, wrong: Bools) -> Floats:
        """(S,) SliceLine's score: above 0 is worse than the mean."""
        relative = self.errors / self.count / max(wrong.mean(), 1 / len(wrong))
        return ERROR_WEIGHT * (relative - 1) - (1 - ERROR_WEIGHT) * (len(wrong) / self.count - 1)

    def rows(self, place: int, columns: Sequence[Column]) -> Bools:
        """(N,) which samples are in the slice."""
        inside = np.ones(len(columns[0].codes), np.bool_)
        for column, code in zip(self.columns[place].tolist(), self.codes[place].tolist(), strict=True):
            if column >= 0:
                inside &= columns[column].codes == code
        return inside


def groups(columns: Sequence[Column], wrong: Bools, min_support: int) -> Candidates:
    """Every group of every column."""
    return _joined([_singles(k, column, wrong, min_support) for k, column in enumerate(columns)])


def combined(columns: Sequence[Column], wrong: Bools, min_support: int) -> Candidates:
    """Every group of every column, and every two groups of different columns."""
    pairs = [_pairs(i, j, columns, wrong, min_support) for i, j in combinations(range(len(columns)), 2)]
    return _joined([groups(columns, wrong, min_support), *pairs])


def _singles(k: int, column: Column, wrong: Bools, min_support: int) -> Candidates:
    count, errors = _counts(column.codes, len(column.values), wrong)
    codes = np.flatnonzero(_fits(count, len(wrong), min_support))
    count, errors = count[codes], errors[codes]
    chance = chance_of_as_many(errors, count, np.full_like(count, wrong.sum()), np.full_like(count, len(wrong)))
    nothing = np.full_like(codes, -1)
    return Candidates(
        np.stack([np.full_like(codes, k), nothing], 1), np.stack([codes, nothing], 1), count, errors, chance
    )


def _pairs(i: int, j: int, columns: Sequence[Column], wrong: Bools, min_support: int) -> Candidates:
    first, second = columns[i], columns[j]
    wide = len(second.values)
    pair = np.where((first.codes >= 0) & (second.codes >= 0), first.codes * wide + second.codes, -1)
    count, errors = _counts(pair, len(first.values) * wide, wrong)
    cells = np.flatnonzero(_fits(count, len(wrong), min_support))
    count, errors = count[cells], errors[cells]
    codes = np.stack(np.divmod(cells, wide), 1)
    whole = (np.full_like(count, len(wrong)), np.full_like(count, wrong.sum()))
    parents = [
        tuple(part[codes[:, side]] for part in _counts(column.codes, len(column.values), wrong))
        for side, column in enumerate((first, second))
    ]
    chances = [chance_of_as_many(errors, count, wrongs, samples) for samples, wrongs in (whole, *parents)]
    places = np.tile(np.array([i, j]), (len(cells), 1))
    return Candidates(places, codes, count, errors, np.max(chances, axis=0))


def _counts(codes: Ints, groups: int, wrong: Bools) -> tuple[Ints, Ints]:
    inside = codes >= 0
    return np.bincount(codes[inside], minlength=groups), np.bincount(codes[inside & wrong], minlength=groups)


def _fits(count: Ints, samples: int, min_support: int) -> Bools:
    """Enough samples, and enough others to compare with."""
    fits: Bools = (count >= min_support) & (samples - count >= min_support)
    return fits


def _joined(parts: Sequence[Candidates]) -> Candidates:
    if not parts:
        nothing = np.zeros((0, 2), np.int64)
        return Candidates(nothing, nothing, nothing[:, 0], nothing[:, 0], np.zeros(0))
    names = ("columns", "codes", "count", "errors", "chance")
    return Candidates(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
