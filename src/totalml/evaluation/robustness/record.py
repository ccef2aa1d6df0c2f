"""What making the test pictures worse came to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from totalml.evaluation.interval import Interval
from totalml.runs.attempt import ROBUSTNESS_FILE
from totalml.store.atomic import write_json


@dataclass(frozen=True)
class Point:
    """Args:
    strength: in the unit of its kind, as in the recipe.
    drop: accuracy of the unchanged pictures minus this one, on the same samples.
    """

    strength: float
    accuracy: Interval
    drop: Interval


@dataclass(frozen=True)
class Worst:
    """The point with the lowest accuracy; its bounds hold although it was chosen among all of them.

    Args: place: among the strengths of its kind, from 1.
    """

    kind: str
    place: int
    accuracy: Interval
    drop: Interval


@dataclass(frozen=True)
class Robustness:
    """Args:
    samples, among: of the test split that were looked at, and all that it has.
    unchanged: accuracy on the pictures as they are.
    curves: kind -> its strengths, the mildest first.
    confidence: of the intervals.
    """

    samples: int
    among: int
    unchanged: Interval
    curves: dict[str, tuple[Point, ...]]
    worst: Worst
    confidence: float

    def figures(self) -> dict[str, Interval]:
        """`robustness.<kind>.<1..5>.accuracy` and `.drop`, `robustness.worst.accuracy` and `.drop`."""
        found = {"robustness.unchanged.accuracy": self.unchanged}
        for kind, points in self.curves.items():
            for place, point in enumerate(points, start=1):
                found[f"robustness.{kind}.{place}.accuracy"] = point.accuracy
                found[f"robustness.{kind}.{place}.drop"] = point.drop
        return found | {"robustness.worst.accuracy": self.worst.accuracy, "robustness.worst.drop": self.worst.drop}

    def save(self, folder: Path) -> None:
        write_json(folder / ROBUSTNESS_FILE, self.as_json())

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls.from_json(json.loads((folder / ROBUSTNESS_FILE).read_text(encoding="utf-8")))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        curves = {
            kind: tuple(Point(**{**one, **_intervals(one)}) for one in points)
            for kind, points in values["curves"].items()
        }
        worst = Worst(**{**values["worst"], **_intervals(values["worst"])})
        return cls(**{**values, "unchanged": Interval(**values["unchanged"]), "curves": curves, "worst": worst})


def _intervals(values: Mapping[str, Any]) -> dict[str, Interval]:
    return {name: Interval(**values[name]) for name in ("accuracy", "drop")}
