"""Whether levers still do what the model says of them, told by series that used more of one and less of another.

What moves all series of a period at once, a season or a shock, says nothing of a lever and is taken off. What is left
of the errors is held against what the model says that each lever brought: if a channel lost half of its effect, answers
are too high by half of that wherever it was used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.monitoring.lost_effect import Lost, Step, lost_effects
from totalml.monitoring.states import finite, whole_number
from totalml.monitoring.verdict import OF_LEVERS, Evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.panel import Panel

    Numbers = NDArray[np.float64]

MORE_SERIES = 5  # than levers, that a period has to have
KEPT = 260  # periods, with those of the reference, among which a change is looked for
LEAST_PERIODS = 12  # of the reference, to know how errors scatter by
MOST_REMEMBERED = 0.95  # of an error, that is there again in the next period


@dataclass(frozen=True)
class Errors:
    """N rows of a panel.

    Args:
        numbers: (N,) of their periods.
        series: (N,)
        errors: (N,) truth less answer, as a share of the answer; NaN: nobody knows.
        brought: (N, L) what the model says that each lever brought, as a share of the answer.
    """

    numbers: NDArray[np.int64]
    series: NDArray[np.str_]
    errors: Numbers
    brought: Numbers

    def by_period(self, number: int) -> dict[str, Numbers]:
        """series -> (1 + L,) error and what was brought; those alone of which all is known."""
        values = np.column_stack([self.errors, self.brought])
        rows = np.flatnonzero((self.numbers == number) & np.isfinite(values).all(axis=1))
        return {str(self.series[row]): values[row] for row in rows}


@dataclass
class LeverWatch:
    """Args:
    reference: rows that the model was judged on.
    average_run: periods between two false alarms, of all levers together.
    """

    panel: Panel
    names: Sequence[str]
    reference: Errors
    average_run: float
    _steps: list[Step] = field(default_factory=list, repr=False)
    _known: int = field(default=0, repr=False)  # of the steps, those of the reference
    _before: tuple[int, dict[str, Numbers]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        count = len(self.names)
        periods = [int(each) for each in self.panel.whole(self.reference.numbers)]
        each = {number: self.reference.by_period(number) for number in periods}
        every = {name for rows in each.values() for name in rows}
        self._usual = {name: np.mean([rows[name] for rows in each.values() if name in rows], axis=0) for name in every}
        self._remembered = self._kept(each)
        gone = [self._without_past(each[number], each[number - 1]) for number in periods if number - 1 in each]
        whole = [values for values in gone if len(values) > count + MORE_SERIES]
        free = sum(len(values) - 1 - count for values in whole)
        left = [_unexplained(values) for values in whole]
        self.too_few = max(LEAST_PERIODS - len(whole), 0)
        self._variance = float(sum((part**2).sum() for part in left)) / free if free and not self.too_few else math.nan
        for number in periods:
            self._add(number, each[number])
        self._known = len(self._steps)

    def look(self, labelled: Errors) -> Evidence:
        """Args: labelled: of a window that is over; of a period that was looked at nothing is looked at again."""
        lost: list[Lost] = []
        surest = -math.inf
        until = -1 if self._before is None else self._before[0]
        for number in (int(each) for each in self.panel.whole(labelled.numbers) if each > until):
            if self._add(number, labelled.by_period(number)):
                found = lost_effects(self._steps, self._known)
                surest = max(surest, found.log_evidence)
                lost = [*found.surest(self.average_run)] if found.log_evidence >= math.log(self.average_run) else lost
        return self._told(lost, surest)

    def restart(self) -> None:
        """Look for no change in the periods so far; after something was done about an alarm."""
        self._known = len(self._steps)

    def state(self) -> dict[str, Any]:
        """Plain JSON."""
        number, rows = self._before or (-1, {})
        steps = [[each.number, each.change.tolist(), each.variance.tolist()] for each in self._steps]
        before = {name: values.tolist() for name, values in rows.items()}
        return {
            "names": [*self.names],
            "steps": steps,
            "at": number,
            "before": before,
            "known": self._known,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """What is of other levers begins anew."""
        if state["names"] == [*self.names]:
            count = len(self.names)
            self._steps = [
                Step(int(number), finite(one, count), finite(other, count)) for number, one, other in state["steps"]
            ]
            self._before = int(state["at"]), {name: finite(each, 1 + count) for name, each in state["before"].items()}
            self._known = whole_number(state["known"])

    def _add(self, number: int, rows: dict[str, Numbers]) -> bool:
        """Whether anything can be told of this period."""
        step = self._step(number, rows)
        self._before = number, rows
        if step is None:
            return False
        self._steps.append(step)
        gone = max(len(self._steps) - KEPT, 0)
        self._steps, self._known = self._steps[gone:], max(self._known - gone, 0)
        return True

    def _kept(self, each: Mapping[int, Mapping[str, Numbers]]) -> float:
        """How much of what is odd of a series in a period is odd of it in the next."""
        products, squares = 0.0, 0.0
        for number, rows in each.items():
            names = sorted(rows.keys() & each.get(number - 1, {}).keys())
            if len(names) > 1:
                now, before = (self._odd(part, names)[:, 0] for part in (rows, each[number - 1]))
                products, squares = products + float(now @ before), squares + float(before @ before)
        return float(np.clip(products / squares, 0, MOST_REMEMBERED)) if squares else 0.0

    def _odd(self, rows: Mapping[str, Numbers], names: Sequence[str]) -> Numbers:
        """(n, 1 + L) beside what is usual of the series, and of all of them in this period."""
        values = np.array([rows[name] - self._usual[name] for name in names])
        return np.asarray(values - values.mean(axis=0))

    def _without_past(self, rows: Mapping[str, Numbers], before: Mapping[str, Numbers]) -> Numbers:
        names = sorted(rows.keys() & before.keys() & self._usual.keys())
        if not names:
            return np.zeros((0, 1 + len(self.names)))
        return self._odd(rows, names) - self._remembered * self._odd(before, names)

    def _step(self, number: int, rows: Mapping[str, Numbers]) -> Step | None:
        """None: nothing can be told of this period."""
        if self._before is None or self._before[0] != number - 1 or not self._variance > 0:
            return None
        values = self._without_past(rows, self._before[1])
        brought = values[:, 1:]
        if len(values) <= len(self.names) + MORE_SERIES or np.linalg.matrix_rank(brought) < len(self.names):
            return None
        inverse = np.linalg.inv(brought.T @ brought)
        return Step(number, inverse @ brought.T @ values[:, 0], self._variance * np.diag(inverse))

    def _told(self, lost: Sequence[Lost], surest: float) -> Evidence:
        if self.too_few:
            return Evidence(OF_LEVERS, False, f"{self.too_few} more periods of the reference would be needed")
        found = {self.names[each.place]: each for each in lost}
        words = [
            f"{name} has lost about {_share(each.share)} of its effect ({_percent(each.low)} to "
            f"{_percent(each.high)}) since {self._day(each.since)}"
            for name, each in found.items()
        ]
        first = min((each.since for each in lost), default=None)
        return Evidence(
            detector=OF_LEVERS,
            alarm=bool(found),
            told="; ".join(words) or "levers do what they did, as far as series tell that differ in them",
            value=surest if math.isfinite(surest) else None,
            level=math.log(self.average_run),
            moved=tuple(found),
            since=None if first is None else f"{self._day(first)}T00:00:00+00:00",
            facts={"levers": {name: {**vars(each), "since": self._day(each.since)} for name, each in found.items()}},
        )

    def _day(self, number: int) -> str:
        return datetime.fromtimestamp(self.panel.start(number) / 1e6, UTC).date().isoformat()


def _unexplained(values: Numbers) -> Numbers:
    """(n,) of (n, 1 + L) errors and what was brought: what no change of effects explains."""
    changes = np.linalg.lstsq(values[:, 1:], values[:, 0], rcond=None)[0]
    return np.asarray(values[:, 0] - values[:, 1:] @ changes)


def _share(lost: float) -> str:
    return "half" if abs(lost - 0.5) <= 0.1 else "all" if lost >= 0.9 else _percent(lost)


def _percent(share: float) -> str:
    return f"{min(max(share, 0.0), 1.0):.0%}"
