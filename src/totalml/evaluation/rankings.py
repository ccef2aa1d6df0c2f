"""Sums over groups and areas under rankings, for many weightings of the samples at once.

Sorting happens once; a weighting then costs a few passes over its counts.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Floats, Ints, ratio
from totalml.evaluation.bootstrap import Counts


class GroupSums:
    """Sums over the samples of each group; groups without samples sum to 0."""

    def __init__(self, group_of: Ints, groups: int) -> None:
        self._order = np.argsort(group_of, kind="stable")
        self._present, self._starts = np.unique(group_of[self._order], return_index=True)
        self._groups = groups

    def totals(self, weights: NDArray[np.number[Any]]) -> Floats:
        """(R, N) -> (R, groups)."""
        totals = np.zeros((len(weights), self._groups))
        totals[:, self._present] = np.add.reduceat(weights[:, self._order], self._starts, axis=1)
        return totals


class Ranking:
    """One class against the rest. Only score levels that hold a positive add to either area."""

    def __init__(self, scores: Floats, is_positive: NDArray[np.bool_]) -> None:
        self._order = np.argsort(-scores, kind="stable")
        sorted_scores, positive = scores[self._order], is_positive[self._order]
        starts = np.flatnonzero(np.diff(sorted_scores, prepend=np.inf))
        ends = np.append(starts[1:], len(scores))
        level_of_positive = np.repeat(np.arange(len(starts)), ends - starts)[positive]
        levels, self._first_positive = np.unique(level_of_positive, return_index=True)
        self._starts, self._ends = starts[levels], ends[levels]
        self._positives = self._order[positive]

    def auroc_and_precision(self, counts: Counts) -> tuple[Floats, Floats]:
        """(R,) area under the ROC curve, ties counting half, and (R,) average precision."""
        if len(self._positives) in (0, counts.shape[1]):
            undefined = np.full(len(counts), np.nan)
            return undefined, undefined
        above = np.zeros((len(counts), counts.shape[1] + 1), np.int32)
        np.cumsum(counts[:, self._order], axis=1, out=above[:, 1:])
        hits = np.add.reduceat(counts[:, self._positives], self._first_positive, axis=1).astype(np.float64)
        hits_down_to = hits.cumsum(axis=1)
        taken, total = above[:, self._ends], above[:, -1]
        misses_down_to = taken - hits_down_to
        misses_here = taken - above[:, self._starts] - hits
        positives = hits_down_to[:, -1]
        negatives = total - positives
        beaten = negatives[:, None] - misses_down_to + misses_here / 2
        auroc = ratio((hits * beaten).sum(axis=1), positives * negatives)
        precision = ratio((hits * ratio(hits_down_to, taken)).sum(axis=1, where=hits > 0), positives)
        return auroc, np.where(negatives > 0, precision, np.nan)
