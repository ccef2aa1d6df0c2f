"""Every metric for many weightings of the samples at once."""

import numpy as np

from totalml.evaluation.arrays import Floats, mean_of_defined, ratio
from totalml.evaluation.bootstrap import Counts
from totalml.evaluation.multilabel.scores import LabelScores
from totalml.evaluation.rankings import GroupSums, Ranking
from totalml.evaluation.resampled import Figures


class WeightedLabelMetrics:
    """Precomputed orders of one set of scores; `of(counts)` is cheap and holds a few arrays of that size."""

    def __init__(self, scores: LabelScores) -> None:
        self._scores = scores
        self._true, self._said = scores.true.astype(np.float64), scores.said.astype(np.float64)
        columns = range(scores.labels)
        self._rankings = [Ranking(scores.probabilities[:, k], scores.true[:, k]) for k in columns]
        self._by_bin = [GroupSums(scores.bin_of[:, k], scores.bins) for k in columns]
        self._gaps = scores.probabilities - self._true

    def of(self, counts: Counts) -> Figures:
        """Args:
        counts: (R, N), how often each sample stands in each resample; a row adds up to more than 0.
        """
        samples = counts.sum(axis=1)
        hits, support, calls = (counts @ flags for flags in (self._true * self._said, self._true, self._said))
        ranked = [ranking.auroc_and_precision(counts) for ranking in self._rankings]
        per_label = {
            "precision": ratio(hits, calls),
            "recall": ratio(hits, support),
            "f1": ratio(2 * hits, support + calls),
            "auroc": np.stack([auroc for auroc, _ in ranked], axis=1),
            "average_precision": np.stack([precision for _, precision in ranked], axis=1),
        }
        overall = {
            "exact_match": ratio(counts @ self._scores.all_right.astype(np.float64), samples),
            "hamming_accuracy": ratio(counts @ self._scores.right.mean(axis=1), samples),
            "f1_macro": mean_of_defined(per_label["f1"]),
            "f1_micro": ratio(2 * hits.sum(axis=1), (support + calls).sum(axis=1)),
            "auroc_macro": mean_of_defined(per_label["auroc"]),
            "average_precision_macro": mean_of_defined(per_label["average_precision"]),
            "ece": self._calibration_error(counts),
        }
        return Figures(overall, per_label)

    def _calibration_error(self, counts: Counts) -> Floats:
        """(R,) of each label by itself, then the mean. Source: Guo et al. 2017, eq. 3, of the probability itself."""
        gaps = [by_bin.totals(counts * self._gaps[:, k]) for k, by_bin in enumerate(self._by_bin)]
        errors = np.stack([np.abs(gap).sum(axis=1) for gap in gaps])
        return ratio(errors.mean(axis=0), counts.sum(axis=1))


def label_figures(scores: LabelScores) -> Figures:
    """The metrics of the samples as they are, with R = 1."""
    return WeightedLabelMetrics(scores).of(np.ones((1, len(scores.true)), np.int32))
