"""What an evaluation of a classifier found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from totalml.evaluation.calibration.record import Calibration, CalibrationBin
from totalml.evaluation.classification.truth import ClassTruth
from totalml.evaluation.interval import Interval
from totalml.evaluation.paired_shares import paired_bounds
from totalml.evaluation.record import Evaluation

if TYPE_CHECKING:
    import pyarrow
    from numpy.typing import NDArray

    from totalml.evaluation.arrays import Floats

RIGHT = {"accuracy": "label", "accuracy_against_gold": "gold"}  # metric -> the column that says what is right
RECALL = ".recall"


@dataclass(frozen=True, kw_only=True)
class ClassificationEvaluation(Evaluation):
    """Args:
    positive: the class that F1, AUROC and average precision look for; None (macro) with three or more.
    metrics: accuracy, balanced_accuracy, f1, auroc, average_precision, ece; with gold labels also
        accuracy_against_gold and best_possible_accuracy.
    per_class: class -> precision, recall, f1, auroc, average_precision (one against the rest), support (int).
    confusion: rows are true classes, columns predicted ones, in the order of `classes`.
    predictions: id, label, predicted, confidence, [gold], p:<class> ..., group:<column> ...
    confidence_check: None where the recipe does not ask for it.
    """

    task: ClassVar[str] = "classification"
    headline: ClassVar[str] = "accuracy"
    given_columns: ClassVar[tuple[str, ...]] = ("id", "label", "gold")

    classes: tuple[str, ...]
    positive: str | None
    per_class: dict[str, dict[str, Interval | int]]
    confusion: tuple[tuple[int, ...], ...]
    calibration: tuple[CalibrationBin, ...]
    confidence_check: Calibration | None = None

    def as_json(self) -> dict[str, Any]:
        return super().as_json() | {
            "classes": list(self.classes),
            "positive": self.positive,
            "per_class": {label: _plain(figures) for label, figures in self.per_class.items()},
            "confusion": [list(row) for row in self.confusion],
            "calibration": [asdict(bin_) for bin_ in self.calibration],
            "confidence_check": self.confidence_check.as_json() if self.confidence_check else None,
        }

    @classmethod
    def parts_from(cls, values: dict[str, Any]) -> dict[str, Any]:
        check = values.pop("confidence_check", None)
        return {
            **super().parts_from(values),
            "classes": tuple(values["classes"]),
            "per_class": {label: _figures(figures) for label, figures in values["per_class"].items()},
            "confusion": tuple(tuple(row) for row in values["confusion"]),
            "calibration": tuple(CalibrationBin(**bin_) for bin_ in values["calibration"]),
            "confidence_check": Calibration.from_json(check) if check else None,
        }

    def figures(self) -> dict[str, Interval]:
        """Besides: `per_class.good.recall`, `calibration.sureness`."""
        found = super().figures()
        for label, figures in self.per_class.items():
            named = {name: metric for name, metric in figures.items() if isinstance(metric, Interval)}
            found |= {f"per_class.{label}.{name}": metric for name, metric in named.items()}
        return found | (self.confidence_check.figures() if self.confidence_check else {})

    def sample_scores(self) -> Floats:
        import numpy as np

        wrong = self.truth(self.classes).judge(self.predictions, self.predictions)["wrong"]
        return 1 - np.asarray(wrong).astype(np.float64)

    @staticmethod
    def truth(targets: Sequence[str]) -> ClassTruth:
        return ClassTruth(tuple(targets))

    def asks_the_same(self, other: Evaluation) -> bool:
        return isinstance(other, ClassificationEvaluation) and other.positive == self.positive

    def paired_share(self, name: str, ours: pyarrow.Table, theirs: pyarrow.Table) -> Interval | None:
        if self.drawn_together() is not None:
            return None
        if name in RIGHT:
            return self._paired_share(ours, theirs, RIGHT[name], None)
        family, _, rest = name.partition(".")
        if family == "per_class" and rest.endswith(RECALL):
            return self._paired_share(ours, theirs, "label", rest.removesuffix(RECALL))
        return None

    def _paired_share(self, new: pyarrow.Table, old: pyarrow.Table, right: str, label: str | None) -> Interval:
        """Args: label: of the samples to look at; None: of all whose truth is known."""
        gained = lost = count = 0
        ours, theirs, truths = (each.to_pylist() for each in (new["predicted"], old["predicted"], new[right]))
        for mine, other, truth in zip(ours, theirs, truths, strict=True):
            if truth is None or label not in (None, truth):
                continue
            count += 1
            gained += mine == truth != other
            lost += other == truth != mine
        if not self.resamples:
            return Interval((gained - lost) / count)
        return Interval((gained - lost) / count, *paired_bounds(gained, lost, count, self.confidence))

    def paired_differences(self, other: Evaluation) -> dict[str, Interval]:
        from totalml.evaluation.classification.paired_differences import paired_differences  # brings torch

        return paired_differences(self, other) if isinstance(other, ClassificationEvaluation) else {}

    def probabilities(self) -> Floats:
        """(N, K), in the order of `classes`."""
        import numpy as np

        columns = [self.predictions[f"p:{label}"].to_numpy() for label in self.classes]
        return np.stack(columns, axis=1)

    def answers(self) -> Floats:
        return self.probabilities()

    def answer_columns(self, answers: NDArray[Any]) -> dict[str, Any]:
        return answer_columns(self.classes, answers)


def _figures(figures: dict[str, Any]) -> dict[str, Interval | int]:
    return {name: figure if isinstance(figure, int) else Interval(**figure) for name, figure in figures.items()}


def _plain(figures: dict[str, Interval | int]) -> dict[str, Any]:
    return {name: figure if isinstance(figure, int) else asdict(figure) for name, figure in figures.items()}


def answer_columns(classes: Sequence[str], probabilities: NDArray[Any]) -> dict[str, Any]:
    """`predicted`, `confidence` and `p:<class>`. Args: probabilities: (N, K)."""
    import numpy as np
    import pyarrow as pa

    shares = np.asarray(probabilities, np.float64)
    return {
        "predicted": pa.array([classes[k] for k in shares.argmax(axis=1)], pa.string()),
        "confidence": shares.max(axis=1),
        **{f"p:{name}": shares[:, k] for k, name in enumerate(classes)},
    }
