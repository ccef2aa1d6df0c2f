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

from totalml.monitoring.shiryaev_roberts import ShiryaevRoberts
from totalml.monitoring.verdict import OF_LEVERS, Evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.panel import Panel

    Numbers = NDArray[np.float64]

LOST = 0.5  # of its effect, which is looked for; three quarters of that are found, later
MOST_SURE = 2.5  # nats that one period may say, so that a week whose data is wrong says little
MORE_SERIES = 5  # than levers, that a period has to have
BEYOND = 1000.0  # times the threshold; evidence grows no further
KEPT = 150  # periods, to say since when
LEAST_PERIODS = 12  # of the reference, to know how errors scatter by
MOST_REMEMBERED = 0.95  # of an error, that is there again in the next period
Z = 1.96  # of 95 %


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


@dataclass(frozen=True)
class Step:
    """Of one period. Args: change: (L,) of each lever's effect, as a share of it. variance: (L,) of that."""

    number: int
    change: Numbers
    variance: Numbers

    @property
    def won(self) -> Numbers:
        """(L,) logarithm of how much likelier it is if the effect of a lever is less by `LOST`, than if it stayed."""
        found = -LOST * (self.change + LOST / 2) / self.variance
        return np.asarray(np.minimum(found, MOST_SURE))


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
    _before: tuple[int, dict[str, Numbers]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        count = len(self.names)
        self._detector = ShiryaevRoberts(np.full(count, 1 / count), BEYOND * self.average_run * count)
        periods = [int(each) for each in self.panel.whole(self.reference.numbers)]
        each = {number: self.reference.by_period(number) for number in periods}
        every = {name for rows in each.values() for name in rows}
        self._usual = {name: np.mean([rows[name] for rows in each.values() if name in rows], axis=0) for name in every}
        self._remembered = self._kept(each)
        gone = [self._without_past(each[number], each[number - 1]) for number in periods if number - 1 in each]
        whole = [values for values in gone if len(values) > count + MORE_SERIES]
        free = sum(len(values) - 1 - count for values in whole)
        left = [
            values[:, 0] - values[:, 1:] @ np.linalg.lstsq(values[:, 1:], values[:, 0], rcond=None)[0]
            for values in whole
        ]
        self.too_few = max(LEAST_PERIODS - len(whole), 0)
        self._variance = float(sum((part**2).sum() for part in left)) / free if free and not self.too_few else math.nan
        if periods:
            self._before = periods[-1], each[periods[-1]]

    def look(self, labelled: Errors) -> Evidence:
        """Args: labelled: of a window that is over; of a period that was looked at nothing is looked at again."""
        lost: list[str] = []
        surest = -math.inf
        until = -1 if self._before is None else self._before[0]
        for number in (int(each) for each in self.panel.whole(labelled.numbers) if each > until):
            rows = labelled.by_period(number)
            step = self._step(number, rows)
            self._before = number, rows
            if step is not None:
                self._steps = [*self._steps, step][-KEPT:]
                evidence = float(self._detector.add(np.exp(step.won)[None])[0])
                surest = max(surest, math.log(evidence))
                lost = self._lost() if evidence >= self.average_run else lost
        return self._told(lost, surest)

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
            "evidence": self._detector.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """What is of other levers begins anew."""
        if state["names"] == [*self.names]:
            self._steps = [Step(number, np.array(one), np.array(other)) for number, one, other in state["steps"]]
            self._before = state["at"], {name: np.array(values) for name, values in state["before"].items()}
            self._detector.restore(state["evidence"])

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

    def _lost(self) -> list[str]:
        """The lever that shows it most, and others that would alone: what each lost, and since when."""
        each = self._detector.each
        shown = [int(each.argmax()), *(place for place in np.argsort(-each) if each[place] >= self.average_run)]
        return [self.names[place] for place in dict.fromkeys(int(place) for place in shown)]

    def _since(self, place: int) -> tuple[int, float, float]:
        """The period that it most likely began with, the change since, and its deviation."""
        won = np.cumsum([each.won[place] for each in reversed(self._steps)])
        since = self._steps[-1 - int(won.argmax()) :]
        weights = np.array([1 / each.variance[place] for each in since])
        change = float(weights @ [each.change[place] for each in since] / weights.sum())
        return since[0].number, change, float(weights.sum() ** -0.5)

    def _told(self, lost: Sequence[str], surest: float) -> Evidence:
        level = math.log(self.average_run)
        if self.too_few:
            told = f"{self.too_few} more periods of the reference would be needed"
            return Evidence(OF_LEVERS, False, told, level=level, more=0)
        found = {name: self._since([*self.names].index(name)) for name in lost}
        words = [
            f"{name} has lost about {_share(-change)} of its effect ({_percent(-change - Z * error)} to "
            f"{_percent(-change + Z * error)}) since {self._day(number)}"
            for name, (number, change, error) in found.items()
        ]
        first = min((number for number, _, _ in found.values()), default=None)
        facts = {
            name: {"lost": -change, "low": -change - Z * error, "high": -change + Z * error, "since": self._day(number)}
            for name, (number, change, error) in found.items()
        }
        return Evidence(
            detector=OF_LEVERS,
            alarm=bool(found),
            told="; ".join(words) or "levers do what the model says, as far as series tell that differ in them",
            value=surest if math.isfinite(surest) else None,
            level=level,
            moved=tuple(found),
            since=None if first is None else f"{self._day(first)}T00:00:00+00:00",
            facts={"levers": facts},
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
