"""What an evaluation found, as plain values that go to `metrics.json` and to the report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True)
class Interval:
    """A metric with its bootstrap interval.

    Args:
        value: None where the metric is undefined, never NaN.
        low, high: bounds at the recipe's confidence; None without resamples or where undefined.
        note: why the value is undefined, or what it leaves out.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    note: str | None = None


@dataclass(frozen=True)
class CalibrationBin:
    """Samples whose confidence lies in [low, high); `confidence` and `accuracy` are None in an empty bin."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Evaluation:
    """Args:
    positive: the class that F1, AUROC and average precision look for; None (macro) with three or more.
    metrics: accuracy, balanced_accuracy, f1, auroc, average_precision, ece; with gold labels also
        accuracy_against_gold and best_possible_accuracy.
    per_class: class -> precision, recall, f1, auroc, average_precision (one against the rest), support (int).
    confusion: rows are true classes, columns predicted ones, in the order of `classes`.
    predictions: id, label, predicted, confidence, [gold], p:<class> ...; rows in the order given.
    confidence: of the intervals, e.g. 0.95.
    """

    classes: tuple[str, ...]
    count: int
    positive: str | None
    metrics: dict[str, Interval]
    per_class: dict[str, dict[str, Interval | int]]
    confusion: tuple[tuple[int, ...], ...]
    calibration: tuple[CalibrationBin, ...]
    predictions: pyarrow.Table
    confidence: float
    resamples: int

    def as_json(self) -> dict[str, Any]:
        """Everything but the predictions, as values that JSON knows."""
        return {
            "classes": list(self.classes),
            "count": self.count,
            "positive": self.positive,
            "confidence": self.confidence,
            "resamples": self.resamples,
            "metrics": {name: asdict(interval) for name, interval in self.metrics.items()},
            "per_class": {label: _plain(figures) for label, figures in self.per_class.items()},
            "confusion": [list(row) for row in self.confusion],
            "calibration": [asdict(bin_) for bin_ in self.calibration],
        }


def _plain(figures: dict[str, Interval | int]) -> dict[str, Any]:
    return {name: figure if isinstance(figure, int) else asdict(figure) for name, figure in figures.items()}
