"""Every metric for many weightings of the samples at once.

A bootstrap resample is a count for each sample. Sorting by score happens once; a resample then costs a few
passes over its counts, so a thousand of them need no loop over metric calls.
"""

import numpy as np

from totalml.evaluation.arrays import Floats, mean_of_defined, ratio
from totalml.evaluation.bootstrap import Counts
from totalml.evaluation.classification.scores import Scores
from totalml.evaluation.rankings import GroupSums, Ranking
from totalml.evaluation.resampled import Figures


class WeightedMetrics:
    """Precomputed orders of one set of scores; `of(counts)` is cheap and holds a few arrays of that size."""

    def __init__(self, scores: Scores) -> None:
        self._scores = scores
        self._by_label = GroupSums(scores.labels, scores.classes)
        self._by_prediction = GroupSums(scores.predicted, scores.classes)
        self._by_bin = GroupSums(scores.bin_of, scores.bins)
        self._correct = scores.labels == scores.predicted
        self._rankings = [Ranking(scores.probabilities[:, k], scores.labels == k) for k in range(scores.classes)]

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
