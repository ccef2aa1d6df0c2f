"""What an evaluation of a model of labels found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from totalml.evaluation.calibration.record import Calibration, CalibrationBin
from totalml.evaluation.interval import Interval
from totalml.evaluation.multilabel.truth import LabelsTruth
from totalml.evaluation.paired_shares import paired_bounds
from totalml.evaluation.record import Evaluation, shares_with_chance
from totalml.evaluation.together import taken

if TYPE_CHECKING:
    import pyarrow
    from numpy.typing import NDArray

    from totalml.evaluation.arrays import Floats
    from totalml.evaluation.multilabel.scores import Flags, LabelScores

RECALL = ".recall"
Matrix = tuple[tuple[int, ...], ...]
MATRICES = ("co_occurrence", "taken_for")


@dataclass(frozen=True)
class LabelFigures:
    """Args:
    support: test samples that have the label.
    threshold: from which probability on it is said.
    figures: precision, recall, f1, auroc, average_precision.
    """

    support: int
    threshold: float
    figures: dict[str, Interval]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(**{**values, "figures": {name: Interval(**each) for name, each in values["figures"].items()}})


@dataclass(frozen=True, kw_only=True)
class MultiLabelEvaluation(Evaluation):
    """The headline is the share of samples whose every label is right: what a reader takes "right" to mean.

    Means over labels hide behind rare ones: never saying any label is right for most of them.

    Args:
        metrics: exact_match, hamming_accuracy (share of labels that are right), f1_macro, f1_micro, auroc_macro,
            average_precision_macro, ece.
        co_occurrence: samples that have the label of the row and of which that of the column is said; the last row and
            column are no label at all.
        taken_for: samples that have the label of the row, unsaid, and of which that of the column is wrongly said.
        calibration: bins of the probabilities of all labels.
        predictions: id, labels and predicted (lists, in the order of `labels`), p:<label> ..., group:<column> ...
        confidence_check: None where the recipe does not ask for it.
    """

    task: ClassVar[str] = "multilabel"
    headline: ClassVar[str] = "exact_match"
    given_columns: ClassVar[tuple[str, ...]] = ("id", "labels")

    labels: tuple[str, ...]
    per_label: dict[str, LabelFigures]
    co_occurrence: Matrix
    taken_for: Matrix
    calibration: tuple[CalibrationBin, ...]
    confidence_check: Calibration | None = None

    def as_json(self) -> dict[str, Any]:
        return super().as_json() | {
            "labels": list(self.labels),
            "per_label": {label: asdict(figures) for label, figures in self.per_label.items()},
            **{name: [list(row) for row in getattr(self, name)] for name in MATRICES},
            "calibration": [asdict(bin_) for bin_ in self.calibration],
            "confidence_check": self.confidence_check.as_json() if self.confidence_check else None,
        }

    @classmethod
    def parts_from(cls, values: dict[str, Any]) -> dict[str, Any]:
        check = values.pop("confidence_check", None)
        return {
            **super().parts_from(values),
            "labels": tuple(values["labels"]),
            "per_label": {label: LabelFigures.from_json(each) for label, each in values["per_label"].items()},
            **{name: tuple(tuple(row) for row in values[name]) for name in MATRICES},
            "calibration": tuple(CalibrationBin(**bin_) for bin_ in values["calibration"]),
            "confidence_check": Calibration.from_json(check) if check else None,
        }

    def figures(self) -> dict[str, Interval]:
        """Besides: `per_label.thin head.recall`, `calibration.temperature`."""
        found = super().figures() | shares_with_chance(self.metrics, self.facts, self.confidence)
        for label, each in self.per_label.items():
            bounded = shares_with_chance(each.figures, min(each.support, self.facts), self.confidence)
            found |= {f"per_label.{label}.{name}": metric for name, metric in bounded.items()}
        return found | (self.confidence_check.figures() if self.confidence_check else {})

    @property
    def without_label(self) -> int:
        """Test samples that have none."""
        return sum(not labels for labels in self.predictions["labels"].to_pylist())

    def sample_scores(self) -> Floats:
        import numpy as np

        wrong = self.truth(self.labels).judge(self.predictions, self.predictions)["wrong"]
        return 1 - np.asarray(wrong).astype(np.float64)

    @staticmethod
    def truth(targets: Sequence[str]) -> LabelsTruth:
        return LabelsTruth(tuple(targets))

    def asks_the_same(self, other: Evaluation) -> bool:
        return isinstance(other, MultiLabelEvaluation) and other.labels == self.labels

    def paired_share(self, name: str, ours: pyarrow.Table, theirs: pyarrow.Table) -> Interval | None:
        family, _, rest = name.partition(".")
        label = rest.removesuffix(RECALL) if family == "per_label" and rest.endswith(RECALL) else None
        if (name != "exact_match" and label is None) or self.drawn_together() is not None:
            return None
        gained = lost = count = 0
        columns = (ours["predicted"], theirs["predicted"], ours["labels"])
        for mine, other, true in zip(*(column.to_pylist() for column in columns), strict=True):
            if label is not None and label not in true:
                continue
            hit, was = (label in said if label else said == true for said in (mine, other))
            count, gained, lost = count + 1, gained + (hit and not was), lost + (was and not hit)
        if not count:
            return None
        bounds = paired_bounds(gained, lost, count, self.confidence) if self.resamples else ()
        return Interval((gained - lost) / count, *bounds)

    def paired_differences(self, other: Evaluation) -> dict[str, Interval]:
        from totalml.evaluation.multilabel.weighted import WeightedLabelMetrics, label_figures
        from totalml.evaluation.resampled import paired

        if not isinstance(other, MultiLabelEvaluation):
            return {}
        both = (self.scores(), other.scores())
        return paired(
            (label_figures(both[0]), label_figures(both[1])),
            (WeightedLabelMetrics(both[0]), WeightedLabelMetrics(both[1])),
            self.count,
            self.resamples,
            self.confidence,
            "per_label",
            self.labels,
            taken(self.drawn_together(), self.by_id()),
        )

    def scores(self) -> LabelScores:
        """Rows as of `by_id`."""
        from totalml.evaluation.multilabel.scores import LabelScores

        order = self.by_id()
        true, said = (self.flags(name)[order] for name in ("labels", "predicted"))
        return LabelScores(true, said, self.answers()[order], len(self.calibration))

    def flags(self, column: str) -> Flags:
        """(N, L) of the lists `labels` or `predicted`."""
        from totalml.evaluation.multilabel.columns import flags

        return flags(self.predictions[column], self.labels)

    def answer_columns(self, answers: NDArray[Any]) -> dict[str, Any]:
        import numpy as np

        from totalml.evaluation.multilabel.columns import probability_columns, said_column

        thresholds = np.array([self.per_label[label].threshold for label in self.labels])
        said = said_column(self.labels, np.asarray(answers, np.float64) >= thresholds)
        return {**said, **probability_columns(self.labels, answers)}

    def answers(self) -> Floats:
        """(N, L) probabilities, in the order of `labels`."""
        import numpy as np

        return np.stack([self.predictions[f"p:{label}"].to_numpy() for label in self.labels], axis=1)
