"""Every metric for many weightings of the samples at once.

A bootstrap resample is a count for each sample. Sorting by score happens once; a resample then costs a few
passes over its counts, so a thousand of them need no loop over metric calls.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Floats, Ints, mean_of_defined, ratio
from totalml.evaluation.bootstrap import Counts
from totalml.evaluation.classification.scores import Figures, Scores


class WeightedMetrics:
    """Precomputed orders of one set of scores; `of(counts)` is cheap and holds a few arrays of that size."""

    def __init__(self, scores: Scores) -> None:
        self._scores = scores
        self._by_label = _Groups(scores.labels, scores.classes)
        self._by_prediction = _Groups(scores.predicted, scores.classes)
        self._by_bin = _Groups(scores.bin_of, scores.bins)
        self._correct = scores.labels == scores.predicted
        self._rankings = [_Ranking(scores.probabilities[:, k], scores.labels == k) for k in range(scores.classes)]

    def of(self, counts: Counts) -> Figures:
        """Args:
        counts: (R, N), how often each sample stands in each resample; a row adds up to more than 0.
        """
        per_class = self._per_class(counts)
        overall = {
            "accuracy": ratio(counts @ self._correct.astype(np.float64), counts.sum(axis=1)),
            "balanced_accuracy": mean_of_defined(per_class["recall"]),
            **{name: self._summary(per_class[name]) for name in ("f1", "auroc", "average_precision")},
            "ece": self._calibration_error(counts),
        }
        return Figures(overall | self._against_gold(counts), per_class)

    def _per_class(self, counts: Counts) -> dict[str, Floats]:
        hits = self._by_label.totals(counts * self._correct)
        support = self._by_label.totals(counts)
        predicted = self._by_prediction.totals(counts)
        ranked = [ranking.auroc_and_precision(counts) for ranking in self._rankings]
        return {
            "precision": ratio(hits, predicted),
            "recall": ratio(hits, support),
            "f1": ratio(2 * hits, support + predicted),
            "auroc": np.stack([auroc for auroc, _ in ranked], axis=1),
            "average_precision": np.stack([precision for _, precision in ranked], axis=1),
        }

    def _summary(self, values: Floats) -> Floats:
        positive = self._scores.positive
        return mean_of_defined(values) if positive is None else values[:, positive]

    def _calibration_error(self, counts: Counts) -> Floats:
        gaps = self._by_bin.totals(counts * (self._scores.confidence - self._correct))
        return ratio(np.abs(gaps).sum(axis=1), counts.sum(axis=1))

    def _against_gold(self, counts: Counts) -> dict[str, Floats]:
        gold = self._scores.gold
        if gold is None:
            return {}
        known = counts @ (gold >= 0).astype(np.float64)
        return {
            "accuracy_against_gold": ratio(counts @ (gold == self._scores.predicted).astype(np.float64), known),
            "best_possible_accuracy": ratio(counts @ (gold == self._scores.labels).astype(np.float64), known),
        }


class _Groups:
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


class _Ranking:
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
