"""The metrics of two runs side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from totalml.errors import StoreError
from totalml.evaluation.record import Interval


@dataclass(frozen=True)
class MetricChange:
    """Args:
    old, new: None where one side does not have the metric.
    """

    name: str
    old: Interval | None
    new: Interval | None

    @property
    def difference(self) -> float | None:
        """None unless both have a value."""
        if self.old is None or self.new is None or self.old.value is None or self.new.value is None:
            return None
        return self.new.value - self.old.value

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "difference": self.difference}


def read_metrics(file: Path) -> dict[str, Interval]:
    """The overall metrics of a `metrics.json`.

    Raises: StoreError: it cannot be read.
    """
    try:
        metrics = json.loads(file.read_text(encoding="utf-8"))["metrics"]
        return {name: Interval(**parts) for name, parts in metrics.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError(f"{file} cannot be read ({error}); run the recipe again") from error


def metric_changes(old: Mapping[str, Interval], new: Mapping[str, Interval]) -> list[MetricChange]:
    """Every metric of either side, equal or not."""
    return [MetricChange(name, old.get(name), new.get(name)) for name in {**old, **new}]
