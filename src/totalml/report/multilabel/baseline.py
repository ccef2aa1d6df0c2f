"""The answers that need no model."""

from collections import Counter
from dataclasses import dataclass
from typing import Self

from totalml.evaluation.multilabel.record import MultiLabelEvaluation
from totalml.report.markup import Html
from totalml.report.multilabel.names import quoted


@dataclass(frozen=True)
class Baseline:
    """Always the same labels of all, the most frequent set of the test split.

    Args:
        exact_match: share of samples that have just these.
        hamming_accuracy: what saying each label always, or never, would reach at best.
    """

    labels: tuple[str, ...]
    exact_match: float
    hamming_accuracy: float

    @classmethod
    def of(cls, evaluation: MultiLabelEvaluation) -> Self:
        counts = Counter(map(tuple, evaluation.predictions["labels"].to_pylist()))
        labels, most = min(counts.items(), key=lambda one: (-one[1], one[0]))
        shares = [each.support / evaluation.count for each in evaluation.per_label.values()]
        return cls(labels, most / evaluation.count, sum(max(share, 1 - share) for share in shares) / len(shares))

    @property
    def title(self) -> Html:
        return quoted(self.labels)
