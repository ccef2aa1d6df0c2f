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

from totalml.monitoring.lever_chance import Chance
from totalml.monitoring.lost_effect import Lost, LostEffects
from totalml.monitoring.states import finite, whole_number
from totalml.monitoring.verdict import OF_LEVERS, Evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.panel import Panel

    Numbers = NDArray[np.float64]

LEAST_MORE = 6  # series than levers, that a period has to have
MOST_SERIES = 256  # that are looked at: of more, as many that lie evenly among their names
LEAST_PERIODS = 12  # of the reference, to know how errors scatter by
MOST_BROUGHT = 1.0  # as a share of the answer, which would be below 0 without the lever, or more than double
MOST_WRONG = 1000.0  # likewise, of an error; what is farther off is known of nothing


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

    def of_periods(self, numbers: NDArray[np.int64], series: NDArray[np.str_]) -> Numbers:
        """(P, R, 1 + L) error and what was brought; NaN where not all of it is known, or it is no share of anything.

        Args: numbers, series: of these, each ascending.
        """
        values = np.column_stack([self.errors, self.brought])
        known = (np.abs(self.brought) <= MOST_BROUGHT).all(axis=1) & (np.abs(self.errors) <= MOST_WRONG)
        found = np.full((len(numbers), len(series), values.shape[1]), np.nan)
        (periods, is_period), (places, is_series) = _places(self.numbers, numbers), _places(self.series, series)
        known &= is_period & is_series
        found[periods[known], places[known]] = values[known]
        return found


class LeverWatch:
    """Of levers by their names."""

    def __init__(self, panel: Panel, names: Sequence[str], reference: Errors, average_run: float) -> None:
        """Args:
        reference: rows that the model was judged on.
        average_run: periods between two false alarms, of all levers together.
        """
        self.panel, self.names, self._least = panel, names, len(names) + LEAST_MORE
        every = np.unique(reference.series)
        self._series = every[_evenly(len(every))]
        periods = panel.whole(reference.numbers)
        rows = reference.of_periods(periods, self._series)
        follow = np.flatnonzero(np.diff(periods) == 1)
        pairs = [(rows[place], rows[place + 1]) for place in follow if self._enough(rows[place], rows[place + 1])]
        self.too_few = max(LEAST_PERIODS - len(pairs), 0)
        chance = None if self.too_few else Chance.learn(np.array(pairs))
        self._effects = None if chance is None else LostEffects(chance, len(names))
        self._before: tuple[int, Numbers] | None = None
        for number, each in zip(periods.tolist(), rows, strict=True):
            self._add(number, each)
        self._threshold = average_run if self._effects is None else self._effects.threshold(average_run)
        self.restart()

    def look(self, labelled: Errors) -> Evidence:
        """Args: labelled: of a window that is over; of a period that was looked at nothing is looked at again."""
        lost: list[Lost] = []
        surest, until = -math.inf, -1 if self._before is None else self._before[0]
        periods = self.panel.whole(labelled.numbers)
        periods = periods[periods > until]
        for number, rows in zip(periods.tolist(), labelled.of_periods(periods, self._series), strict=True):
            if self._add(number, rows) and self._effects is not None:
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
            "series": self._series.tolist(),
            "at": number,
            "before": {"places": known.tolist(), "rows": rows[known].tolist()},
            "effects": None if self._effects is None else self._effects.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """What is of other levers or series begins anew."""
        if self._effects is None or (state["names"], state["series"]) != ([*self.names], self._series.tolist()):
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
        return int(np.isfinite(before + rows).all(axis=1).sum()) >= self._least

    def _told(self, lost: Sequence[Lost], surest: float) -> Evidence:
        if self.too_few:
            return Evidence(OF_LEVERS, False, f"{self.too_few} more periods of the reference would be needed")
        if self._effects is None:
            return Evidence(OF_LEVERS, False, "the reference has no errors, to tell by how much they scatter")
        if not math.isfinite(surest):
            told = f"no period came with labels of {self._least} series that had some in the one before too"
            return Evidence(OF_LEVERS, False, told, level=math.log(self._threshold))
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
            value=surest,
            level=math.log(self._threshold),
            moved=tuple(found),
            since=None if first is None else f"{self._day(first)}T00:00:00+00:00",
            facts={"levers": {name: {**vars(each), "since": self._day(each.since)} for name, each in found.items()}},
        )

    def _day(self, number: int) -> str:
        return datetime.fromtimestamp(self.panel.start(number) / 1e6, UTC).date().isoformat()


def _evenly(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, MOST_SERIES)).round().astype(np.int64))


def _places(values: NDArray[Any], among: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """(N,) where each is among these, and whether it is. Args: among: ascending."""
    places = np.searchsorted(among, values).clip(max=max(len(among) - 1, 0))
    return places, among[places] == values if len(among) else np.zeros(len(values), np.bool_)


def _share(lost: float) -> str:
    return "half" if abs(lost - 0.5) <= 0.1 else "all" if lost >= 0.9 else _percent(lost)


def _percent(share: float) -> str:
    return f"{min(max(share, 0.0), 1.0):.0%}"
