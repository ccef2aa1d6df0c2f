"""Whether levers still do what the model says of them, told by series that used more of one and less of another.

What moves all series of a period at once, a season or a shock, says nothing of a lever and is taken off. What is left
of the errors is held against what the model says that each lever brought: if a channel lost half of its effect, answers
are too high by half of that wherever it was used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.monitoring.lever_regression import Chance
from totalml.monitoring.lost_effect import Lost, LostEffects
from totalml.monitoring.states import finite, whole_number
from totalml.monitoring.verdict import OF_LEVERS, Evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.panel import Panel

    Numbers = NDArray[np.float64]

MORE_SERIES = 5  # than levers, that a period has to have
MOST_SERIES = 256  # that are looked at: of more, as many that lie evenly among their names
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

    def of_period(self, number: int, series: Sequence[str]) -> Numbers:
        """(R, 1 + L) error and what was brought; NaN where not all of it is known."""
        places = {name: place for place, name in enumerate(series)}
        values = np.column_stack([self.errors, self.brought])
        found = np.full((len(series), values.shape[1]), np.nan)
        for row in np.flatnonzero((self.numbers == number) & np.isfinite(values).all(axis=1)):
            if (place := places.get(str(self.series[row]))) is not None:
                found[place] = values[row]
        return found


class LeverWatch:
    """Of levers by their names."""

    def __init__(self, panel: Panel, names: Sequence[str], reference: Errors, average_run: float) -> None:
        """Args:
        reference: rows that the model was judged on.
        average_run: periods between two false alarms, of all levers together.
        """
        self.panel, self.names = panel, names
        every = np.unique(reference.series)
        self._series = [str(each) for each in every[_evenly(len(every))]]
        periods = [int(each) for each in panel.whole(reference.numbers)]
        rows = [reference.of_period(number, self._series) for number in periods]
        follow = np.flatnonzero(np.diff(periods) == 1)
        pairs = [(rows[place], rows[place + 1]) for place in follow if self._enough(rows[place], rows[place + 1])]
        self.too_few = max(LEAST_PERIODS - len(pairs), 0)
        chance = None if self.too_few else _chance(pairs)
        self._effects = None if chance is None else LostEffects(chance, len(self._series), len(names))
        self._before: tuple[int, Numbers] | None = None
        for number, each in zip(periods, rows, strict=True):
            self._add(number, each)
        self._threshold = average_run if self._effects is None else self._effects.threshold(average_run)
        self.restart()

    def look(self, labelled: Errors) -> Evidence:
        """Args: labelled: of a window that is over; of a period that was looked at nothing is looked at again."""
        lost: list[Lost] = []
        surest, until = -math.inf, -1 if self._before is None else self._before[0]
        for number in (int(each) for each in self.panel.whole(labelled.numbers) if each > until):
            if self._add(number, labelled.of_period(number, self._series)) and self._effects is not None:
                evidence = self._effects.log_evidence
                surest = max(surest, evidence)
                lost = self._effects.surest(self._threshold) if evidence >= math.log(self._threshold) else lost
        return self._told(lost, surest)

    def restart(self) -> None:
        """Look for no change in the periods so far; after something was done about an alarm."""
        if self._effects is not None:
            self._effects.restart()

    def state(self) -> dict[str, Any]:
        """Plain JSON."""
        number, rows = self._before or (-1, np.full((len(self._series), 1 + len(self.names)), np.nan))
        known = np.flatnonzero(np.isfinite(rows).all(axis=1))
        return {
            "names": [*self.names],
            "series": self._series,
            "at": number,
            "before": {"places": known.tolist(), "rows": rows[known].tolist()},
            "effects": None if self._effects is None else self._effects.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """What is of other levers or series begins anew."""
        if self._effects is None or (state["names"], state["series"]) != ([*self.names], self._series):
            return
        places = [whole_number(each) for each in state["before"]["places"]]
        rows = np.full((len(self._series), 1 + len(self.names)), np.nan)
        rows[places] = finite(state["before"]["rows"], len(places), rows.shape[1])
        self._effects.restore(state["effects"])
        self._before = int(state["at"]), rows

    def _add(self, number: int, rows: Numbers) -> bool:
        """Whether anything can be told of this period."""
        before, self._before = self._before, (number, rows)
        if self._effects is None or before is None or before[0] != number - 1 or not self._enough(before[1], rows):
            return False
        self._effects.add(number, rows - self._effects.chance.kept * before[1])
        return True

    def _enough(self, before: Numbers, rows: Numbers) -> bool:
        return int(np.isfinite(before + rows).all(axis=1).sum()) > len(self.names) + MORE_SERIES

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
            level=math.log(self._threshold),
            moved=tuple(found),
            since=None if first is None else f"{self._day(first)}T00:00:00+00:00",
            facts={"levers": {name: {**vars(each), "since": self._day(each.since)} for name, each in found.items()}},
        )

    def _day(self, number: int) -> str:
        return datetime.fromtimestamp(self.panel.start(number) / 1e6, UTC).date().isoformat()


def _evenly(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, MOST_SERIES)).round().astype(np.int64))


def _chance(pairs: Sequence[tuple[Numbers, Numbers]]) -> Chance | None:
    """Args: pairs: each (R, 1 + L) of two periods that follow each other. Returns: None: nothing is left to chance."""
    values = np.array(pairs)
    known = np.isfinite(values).all(axis=(1, 3))
    before, after = (_odd(values[:, place], known) for place in (0, 1))
    squares = float((before[..., 0] ** 2).sum())
    kept = float((before[..., 0] * after[..., 0]).sum()) / squares if squares else 0.0
    # A mean that is taken of the same few periods hides some of it (Nickell 1981).
    kept = float(np.clip((kept * len(pairs) + 1) / (len(pairs) - 1), 0, MOST_REMEMBERED))
    errors, brought = np.split((after - kept * before)[known], [1], axis=1)
    left = errors - brought @ np.linalg.lstsq(brought, errors, rcond=None)[0]
    free = len(errors) - len(pairs) - int(known.any(axis=0).sum()) - brought.shape[1]
    return Chance(float((left**2).sum()) / free, kept) if free > 0 and left.any() else None


def _odd(values: Numbers, known: NDArray[np.bool_]) -> Numbers:
    """(T, R, 1 + L) beside the mean of the period, and then of the series; 0: unknown. Args: known: (T, R)."""
    for axis in (1, 0):
        counts = np.maximum(known.sum(axis=axis, keepdims=True), 1)[..., np.newaxis]
        values = np.where(known[..., np.newaxis], values, 0.0)
        values = values - values.sum(axis=axis, keepdims=True) / counts
    return np.where(known[..., np.newaxis], values, 0.0)


def _share(lost: float) -> str:
    return "half" if abs(lost - 0.5) <= 0.1 else "all" if lost >= 0.9 else _percent(lost)


def _percent(share: float) -> str:
    return f"{min(max(share, 0.0), 1.0):.0%}"
