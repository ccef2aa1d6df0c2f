"""What the gates of a run came to; `gates.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from totalml.errors import StoreError
from totalml.evaluation.interval import Interval
from totalml.gates.outcome import Outcome
from totalml.registry.record import Promotion
from totalml.runs.attempt import GATES_FILE
from totalml.store.atomic import write_json

# How a figure stands against production's: on the same samples; both intervals as if of different samples; by value.
How = Literal["paired", "apart", "value"]


@dataclass(frozen=True)
class GateResult:
    """One gate, by the figure that decides it: the worst of those that its metric names.

    Args:
        title: unique among the gates of a run.
        outcome: of the figure, whatever the recipe makes of an undecided one.
        passed: what counts.
        figure: its name; None where there is none of that name.
        value: what is compared: the figure, or its difference to production's.
        ours, theirs: the figure here and in production; None without a comparison.
        how: how a difference was found.
        looked_at, beyond: figures that the metric names, and those of them that did not pass.
        would_decide: about how many test samples; None where nothing is undecided, or no number would.
        remark: what else there is to say, in words.
        condition: the gate as the recipe has it.
    """

    title: str
    outcome: Outcome
    passed: bool
    figure: str | None
    value: Interval
    condition: Mapping[str, Any]
    ours: Interval | None = None
    theirs: Interval | None = None
    how: How | None = None
    looked_at: int = 0
    beyond: int = 0
    would_decide: int | None = None
    remark: str = ""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        read = {key: values[key] and Interval(**values[key]) for key in ("value", "ours", "theirs")}
        return cls(**{**values, **read})


@dataclass(frozen=True)
class Verdict:
    """Args:
    count: test samples.
    production: what was in production when they were judged; None: nothing, or no gate asks.
    """

    gates: tuple[GateResult, ...]
    count: int
    production: Promotion | None = None

    @property
    def releasable(self) -> bool:
        return all(gate.passed for gate in self.gates)

    @property
    def not_passed(self) -> list[GateResult]:
        return [gate for gate in self.gates if not gate.passed]

    def save(self, folder: Path) -> None:
        production = self.production and self.production.as_json()
        values = {"releasable": self.releasable, "production": production, "count": self.count}
        write_json(folder / GATES_FILE, values | {"gates": [asdict(gate) for gate in self.gates]})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises: StoreError: it is not there or damaged."""
        file = folder / GATES_FILE
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
            gates = tuple(GateResult.from_json(gate) for gate in values["gates"])
            production = values["production"] and Promotion.from_json(values["production"])
            return cls(gates, values["count"], production)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StoreError(f"{file} cannot be read ({error}); run the recipe again") from error
