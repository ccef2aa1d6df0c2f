"""What moved in a panel, period by period, beside the same weeks of earlier years.

One period far from all others is told at once, by its rank among those of the release: exact, however columns hang
together. What is a little off in the same way for months is told by what follows the stream.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.errors import DataError
from totalml.monitoring.far import how_far, times_as_much
from totalml.monitoring.faults import Fault
from totalml.monitoring.observations import Observations, as_numbers
from totalml.monitoring.same_weeks import SameWeeks
from totalml.monitoring.stream import StreamTest
from totalml.monitoring.table_times import iso
from totalml.monitoring.verdict import OF_STREAM, OF_WINDOW, Evidence
from totalml.monitoring.window_evidence import MOST_ROWS, stream_evidence
from totalml.release.log_rows import spoken
from totalml.values.shown import counted

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.monitoring.budget import Budget
    from totalml.monitoring.panel import Panel

    Numbers = NDArray[np.float64]

OTHER_UNIT = 5.0  # times as much or as little, from which on it may be one
BEYOND = 2.0  # times the largest difference by ratio that the release knew
TO_DEVIATION = 1.4826  # of a normal distribution: its deviation, in medians of what lies about its middle
# Differences that matter to nobody, by ratio and in deviations of what is no amount: a price that hardly ever moves
# from its trend would else be told of a trend that is not quite straight.
LEAST_RATIO, LEAST_SHARE = 0.01, 0.05
MOST_TOLD = 3
AGAINST = "the same weeks of earlier years"


@dataclass(frozen=True)
class SeasonFound:
    """Args:
    evidence: of the window and of the stream.
    faults: columns that are counted in another unit.
    """

    evidence: tuple[Evidence, ...]
    faults: tuple[Fault, ...]


class SeasonWatch:
    """Args:
    budget: with windows of a period, and rows that are periods.
    """

    def __init__(self, panel: Panel, budget: Budget, seed: int = 0) -> None:
        self._panel, self._weeks = panel, SameWeeks(panel)
        self._names = [*panel.scales]
        self._least = np.array(
            [_least(scale.floor, of) for scale, of in zip(panel.scales.values(), panel.values.T, strict=True)]
        )
        known = self._mattering(self._weeks.known)
        about = np.nan_to_num([np.median(np.abs(each[~np.isnan(each)])) if len(each) else 0.0 for each in known.T])
        self._spread = np.maximum(TO_DEVIATION * about, self._least)
        self._told = np.flatnonzero((self._spread > 0) & ~np.isnan(known).all(axis=0))
        far = [self._far(each) for each in known]
        self._known = np.sort([np.nanmax(each) for each in far if len(each) and not np.isnan(each).all()])
        self._level = budget.level(OF_WINDOW)
        self._stream = StreamTest.fit(self._observed(known, None), budget.run_length(OF_STREAM), seed=seed)
        self._until = int(panel.numbers_of_starts[-1])

    def look(self, rows: pa.Table, answered: NDArray[np.intp]) -> SeasonFound:
        """Args:
        rows: answered ones of the window, with those of windows before that had too few.
        answered: (N,) their places among all rows of the window.
        """
        numbers = self._panel.numbers(rows)
        periods = [int(each) for each in self._panel.whole(numbers) if each > self._until]
        values = self._panel.summary(rows, np.array(periods, np.int64))
        found, news = [], []
        for number, each in zip(periods, values, strict=True):
            places = np.flatnonzero(numbers == number)
            faults = [*self._other_units(number, each, rows, places)]
            found += [replace(fault, rows=answered[fault.rows]) for fault in faults]
            named = [self._names.index(fault.column) for fault in faults]
            each[named] = np.nan
            news.append(self._mattering(self._weeks.news(number, each)))
            self._weeks.add(number, each)
        self._until = max([self._until, *periods])
        stacked = np.array(news).reshape(-1, len(self._names))
        last = np.flatnonzero(np.isin(numbers, periods))
        return SeasonFound(
            (self._of_window(periods, stacked, answered[last]), self._of_stream(periods, stacked)), tuple(found)
        )

    def state(self) -> dict[str, Any]:
        return {"until": self._until, "weeks": self._weeks.state(), "stream": self._stream.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """What is of another release begins anew."""
        try:
            self._stream.restore(state["stream"])
        except DataError:
            return
        self._weeks.restore(state["weeks"])
        self._until = int(state["until"])

    def _other_units(self, number: int, values: Numbers, rows: pa.Table, places: NDArray[np.intp]) -> Sequence[Fault]:
        apart = self._weeks.apart(number, values)
        least = np.maximum(math.log(OTHER_UNIT), BEYOND * np.nan_to_num(self._weeks.far))
        found = []
        for place in np.flatnonzero(np.abs(np.nan_to_num(apart)) >= least):
            name = self._names[place]
            raw = as_numbers(rows[name])[places]
            # What fell to nothing is no unit: somebody stopped, or the column got lost, and the value looks like both.
            if self._panel.scales[name].floor is None or not np.nanmedian(np.abs(raw)) > 0:
                continue
            detail = f"{times_as_much(apart[place])} what {AGAINST} and its level in the last one let expect"
            shown = places[:MOST_ROWS]
            found.append(Fault("units", name, 0.0, certain=True, rows=shown, detail=detail))
        return found

    def _far(self, news: Numbers) -> Numbers:
        """(D,) deviations of each column of which a chance can be told."""
        return np.abs(news)[self._told] / self._spread[self._told]

    def _mattering(self, news: Numbers) -> Numbers:
        """(..., C) without what matters to nobody."""
        return np.sign(news) * np.maximum(np.abs(news) - self._least, 0)

    def _chance(self, far: Numbers) -> Numbers:
        """That any column of a period like those that are known is as far as each of these."""
        more = len(self._known) - np.searchsorted(self._known, far, "left")
        return np.where(np.isnan(far), 1.0, (1 + more) / (1 + len(self._known)))

    def _of_window(self, periods: Sequence[int], news: Numbers, rows: NDArray[np.intp]) -> Evidence:
        lacking = max(math.ceil(1 / self._level) - 1 - len(self._known), 0)
        if lacking:
            told = f"{counted(lacking, 'more period')} would be needed, each with {AGAINST}"
            return Evidence(OF_WINDOW, False, told, 1.0, self._level, more=lacking)
        if not periods:
            return Evidence(OF_WINDOW, False, "no period is whole yet", level=self._level, more=1)
        chances = np.array([self._chance(self._far(each)) for each in news]).reshape(len(periods), -1)
        whole = np.minimum(chances * len(periods), 1.0)
        each = whole.min(axis=0, initial=1.0)
        moved = [self._told[place] for place in np.argsort(each, kind="stable") if each[place] <= self._level]
        worst = {place: int(np.nanargmax(np.abs(news[:, place]))) for place in moved}
        since = min((self._panel.start(periods[row]) for row in worst.values()), default=None)
        words = [self._words(place, news[row, place]) for place, row in worst.items()]
        more = f" and {len(words) - MOST_TOLD} more" if len(words) > MOST_TOLD else ""
        return Evidence(
            detector=OF_WINDOW,
            alarm=bool(moved),
            told=f"{', '.join(words[:MOST_TOLD])}{more} than {AGAINST} let expect"
            if moved
            else f"as {AGAINST} let expect",
            value=float(each.min(initial=1.0)),
            level=self._level,
            moved=tuple(self._names[place] for place in moved),
            since=None if since is None else iso(since),
            rows=tuple(rows[:MOST_ROWS].tolist()) if moved else (),
            facts={"against": AGAINST, "periods": len(self._known)},
        )

    def _of_stream(self, periods: Sequence[int], news: Numbers) -> Evidence:
        times = np.array([self._panel.start(each) for each in periods], np.int64)
        evidence = stream_evidence(self._stream.update(self._observed(news, times)))
        told = evidence.told.replace("row after row", "period after period").replace("the reference", AGAINST)
        return replace(evidence, told=told)

    def _observed(self, news: Numbers, times: NDArray[np.int64] | None) -> Observations:
        numbers = {self._names[place]: news[:, place] for place in self._told}
        return Observations(len(news), times=times, numbers=numbers)

    def _words(self, place: int, news: float) -> str:
        name, scale = self._names[place], self._panel.scales[self._names[place]]
        return f"{spoken(name)} {how_far(scale, news)}"


def _least(floor: float | None, values: Numbers) -> float:
    """That matters. Args: values: (P,) of a column, NaN where missing."""
    known = values[~np.isnan(values)]
    return LEAST_RATIO if floor is not None else LEAST_SHARE * float(known.std()) if len(known) else 0.0
