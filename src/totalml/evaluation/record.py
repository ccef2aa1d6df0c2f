"""What an evaluation found, as plain values that go to `metrics.json` and to the report."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from totalml.evaluation.calibration.record import Calibration, CalibrationBin
from totalml.evaluation.fairness.record import Fairness
from totalml.evaluation.interval import Interval, with_chance
from totalml.evaluation.slices.record import Slices
from totalml.runs.attempt import METRICS_FILE, PREDICTIONS_FILE
from totalml.store.atomic import write_atomically, write_json

if TYPE_CHECKING:
    import numpy as np
    import pyarrow
    from numpy.typing import NDArray

__all__ = ["CalibrationBin", "Evaluation", "Interval"]


@dataclass(frozen=True)
class Evaluation:
    """Args:
    positive: the class that F1, AUROC and average precision look for; None (macro) with three or more.
    metrics: accuracy, balanced_accuracy, f1, auroc, average_precision, ece; with gold labels also
        accuracy_against_gold and best_possible_accuracy.
    per_class: class -> precision, recall, f1, auroc, average_precision (one against the rest), support (int).
    confusion: rows are true classes, columns predicted ones, in the order of `classes`.
    predictions: id, label, predicted, confidence, [gold], p:<class> ..., group:<column> ...; rows in the order given.
    confidence: of the intervals, e.g. 0.95.
    slices, fairness, confidence_check: None where the recipe does not ask for them.
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
    slices: Slices | None = None
    fairness: Fairness | None = None
    confidence_check: Calibration | None = None

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
            "slices": self.slices.as_json() if self.slices else None,
            "fairness": self.fairness.as_json() if self.fairness else None,
            "confidence_check": self.confidence_check.as_json() if self.confidence_check else None,
        }

    def figures(self) -> dict[str, Interval]:
        """All that was measured, by a dotted name: `accuracy`, `per_class.good.recall`, `slices.dim light.gap`."""
        found = {name: with_chance(metric, self.count, self.confidence) for name, metric in self.metrics.items()}
        for label, figures in self.per_class.items():
            support = figures["support"]
            for name, metric in figures.items():
                if isinstance(metric, Interval) and isinstance(support, int):
                    found[f"per_class.{label}.{name}"] = with_chance(metric, support, self.confidence)
        found |= self.slices.figures() if self.slices else {}
        found |= self.fairness.by_name() if self.fairness else {}
        return found | (self.confidence_check.figures() if self.confidence_check else {})

    def probabilities(self) -> NDArray[np.float64]:
        """(N, K), in the order of `classes`."""
        import numpy as np

        columns = [self.predictions[f"p:{label}"].to_numpy() for label in self.classes]
        return np.stack(columns, axis=1)

    def save(self, folder: Path) -> None:
        from totalml.data.snapshot import parquet_bytes

        write_json(folder / METRICS_FILE, self.as_json())
        write_atomically(folder / PREDICTIONS_FILE, parquet_bytes(self.predictions))

    @classmethod
    def load(cls, folder: Path) -> Self:
        from totalml.data.snapshot import read_parquet

        values = json.loads((folder / METRICS_FILE).read_text(encoding="utf-8"))
        metrics = {name: Interval(**parts) for name, parts in values.pop("metrics").items()}
        per_class = {label: _figures(figures) for label, figures in values.pop("per_class").items()}
        # An evaluation from before there was any such thing has none.
        slices, fairness, check = (values.pop(name, None) for name in ("slices", "fairness", "confidence_check"))
        return cls(
            classes=tuple(values.pop("classes")),
            metrics=metrics,
            per_class=per_class,
            confusion=tuple(tuple(row) for row in values.pop("confusion")),
            calibration=tuple(CalibrationBin(**bin_) for bin_ in values.pop("calibration")),
            predictions=read_parquet((folder / PREDICTIONS_FILE).read_bytes()),
            slices=Slices.from_json(slices) if slices else None,
            fairness=Fairness.from_json(fairness) if fairness else None,
            confidence_check=Calibration.from_json(check) if check else None,
            **values,
        )


def _figures(figures: dict[str, Any]) -> dict[str, Interval | int]:
    return {name: figure if isinstance(figure, int) else Interval(**figure) for name, figure in figures.items()}


def _plain(figures: dict[str, Interval | int]) -> dict[str, Any]:
    return {name: figure if isinstance(figure, int) else asdict(figure) for name, figure in figures.items()}
