"""The plan of a run; `plan.json`. A release keeps it, and makes other plans from the same curves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from totalml.errors import StoreError
from totalml.evaluation.interval import Interval
from totalml.plan.advise import Advice
from totalml.plan.contributions import Contributions
from totalml.plan.experiment import Experiment
from totalml.plan.lever import Lever
from totalml.plan.truth import Truth
from totalml.runs.attempt import PLAN_FILE
from totalml.store.atomic import write_json


@dataclass(frozen=True)
class Plan:
    """Args:
    target, target_unit: what is predicted.
    value: of one unit of it, in `unit`, which is that of the costs.
    since, until: moments of the first and the last planned samples, ISO 8601.
    rows: planned samples.
    members: of the model; 0: it has none, so that nothing says how sure it is.
    budget: what all levers might cost; None: anything.
    outcome: the target of the planned samples as the levers are, by the mean of the members.
    levers: what would come of each.
    tried: the plan that looked best, where the advice is another one.
    experiment: what to try next; None where that would tell nothing.
    truth: None where it is not known.
    """

    target: str
    target_unit: str
    value: float
    unit: str
    since: str
    until: str
    rows: int
    members: int
    confidence: float
    budget: float | None
    outcome: float
    levers: tuple[Lever, ...]
    advice: Advice
    tried: Advice | None
    experiment: Experiment | None
    contributions: Contributions
    truth: Truth | None

    @property
    def names(self) -> list[str]:
        """Of the levers."""
        return [lever.name for lever in self.levers]

    def figures(self) -> dict[str, Interval]:
        """`plan.gain`, `plan.changes`, and where the truth is known `plan.true_gain` and what follows from it."""
        found = {"plan.gain": self.advice.gain, "plan.changes": Interval(float(len(self.advice.changed)))}
        if self.truth is None:
            return found
        known = {
            "true_gain": self.truth.gain,
            "best_gain": self.truth.best_gain,
            "regret": self.truth.regret,
            "regret_share": self.truth.regret_share,
            "worse_than_nothing": float(self.truth.worse_than_nothing),
        }
        return found | {f"plan.{name}": Interval(value) for name, value in known.items()}

    def advising(self, advice: Advice, tried: Advice | None) -> Self:
        """The same curves with another advice, of which nothing else is known."""
        return replace(self, advice=advice, tried=tried, budget=advice.budget, truth=None)

    def save(self, folder: Path) -> None:
        write_json(folder / PLAN_FILE, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises: StoreError: it is not there or damaged."""
        file = folder / PLAN_FILE
        try:
            return cls.from_bytes(file.read_bytes())
        except (OSError, StoreError) as error:
            raise StoreError(f"{file} cannot be read ({error}); run the recipe again") from error

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Raises: StoreError: they are no plan."""
        try:
            return cls.from_json(json.loads(data))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StoreError(f"it is no plan of this version: {type(error).__name__}: {error}") from error

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        read = {
            "advice": Advice.from_json,
            "tried": Advice.from_json,
            "experiment": Experiment.from_json,
            "contributions": Contributions.from_json,
            "truth": Truth.from_json,
        }
        parts = {name: values[name] and each(values[name]) for name, each in read.items()}
        return cls(**{**values, **parts, "levers": tuple(map(Lever.from_json, values["levers"]))})
