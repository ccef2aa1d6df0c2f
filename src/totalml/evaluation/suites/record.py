"""What deepchecks' suites said of a model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from totalml.errors import EvaluationError
from totalml.evaluation.interval import Interval
from totalml.quality.suites.record import Status, Suite
from totalml.runs.attempt import DEEPCHECKS_FILE
from totalml.store.atomic import write_json

COUNTED: tuple[Status, ...] = ("failed", "warned", "passed")


@dataclass(frozen=True)
class ModelSuites:
    suites: tuple[Suite, ...]

    def messages(self) -> list[str]:
        """What its suites complain of, a line each."""
        return [message for suite in self.suites for _, message in suite.told()]

    def figures(self) -> dict[str, Interval]:
        """`deepchecks.tabular.failed` and so on: how many conditions came out so."""
        return {
            f"deepchecks.{suite.data}.{status}": Interval(None, note=suite.not_run)
            if suite.not_run
            else Interval(float(len(suite.of(status))))
            for suite in self.suites
            for status in COUNTED
        }

    def stop(self) -> None:
        """Raises: EvaluationError: a condition failed that the recipe does not let pass."""
        told = [message for suite in self.suites for level, message in suite.told() if level == "stop"]
        if told:
            lines = [f"the model did not pass {len(told)} conditions of deepchecks:", *(f"  {line}" for line in told)]
            lines.append("What was done is kept. Mend the model, or set 'level: warn' on the condition to go on.")
            raise EvaluationError("\n".join(lines))

    def save(self, folder: Path) -> None:
        for suite in self.suites:
            suite.save_page(folder)
        write_json(folder / DEEPCHECKS_FILE, {"suites": [suite.as_json() for suite in self.suites]})

    @classmethod
    def load(cls, folder: Path) -> Self:
        values = json.loads((folder / DEEPCHECKS_FILE).read_text(encoding="utf-8"))
        return cls(tuple(map(Suite.from_json, values["suites"])))
