"""A monitor as a service has it, in a drill: day by day, with its own thresholds, under one budget after another.

What it says at the least budget under which it alarms is what it says; so it is held to the same false alarms as
detectors of which evidence is a number, without a look inside of it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from totalml.drill.detector import SILENT
from totalml.drill.history import DAY_US, FIRST_DAY_US
from totalml.labels import truth_of
from totalml.labels.columns import PREFIX
from totalml.monitoring.traffic import LOSS, compared
from totalml.monitoring.verdict import NONE
from totalml.recipe.seasons import SeasonSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.drill.history import History
    from totalml.monitoring.monitor import Monitor
    from totalml.recipe import Recipe
    from totalml.recipe.monitoring import MonitoringRecipe
    from totalml.release.bundle import Bundle
    from totalml.release.signature import Signature
    from totalml.store import Store

EXPECTED = "expected"  # how a monitor calls the season that it is told of
BUDGETS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # false alarms a year


@dataclass
class Monitored:
    """Args:
    new: a fitted monitor for a history, told of its season, with so many false alarms a year.
    budgets: that are tried, ascending.
    stricter: budget that it is held under instead, if it alarms in too many calm histories; None: there is none.
    window_days: of what it looks at at once, unless a test that runs along alarms before.
    along: whether any does; none where rows are of periods.
    """

    name: str
    new: Callable[[History, float], Monitor]
    budgets: tuple[float, ...] = BUDGETS
    window_days: int = 1
    along: bool = True
    stricter: float | None = None
    _history: History | None = field(default=None, repr=False)
    _causes: list[str] = field(default_factory=list, repr=False)

    def evidence(self, history: History) -> NDArray[np.float64]:
        """(days,) of each the logarithm of the least budget under which it alarms, negative."""
        found = np.full(history.days, SILENT)
        self._history, self._causes = history, [NONE] * history.days
        for budget in self.budgets:
            for day, cause in enumerate(_causes(history, self.new(history, budget), self.window_days, self.along)):
                if cause is not None and found[day] == SILENT:
                    found[day], self._causes[day] = -math.log(budget), cause
        return found

    def verdict(self, history: History, day: int) -> str:
        if history is not self._history:
            self.evidence(history)
        return self._causes[day]


def _causes(history: History, monitor: Monitor, window_days: int, along: bool) -> list[str | None]:
    """(days,) what is alarmed for; None: nothing."""
    found: list[str | None] = [None] * history.days
    start = 0
    for day in range(history.days):
        whole = day + 1 - start >= window_days
        if not (whole or along):
            continue
        rows, told = (_between(history, each, start, day) for each in (history.day, history.known_on))
        if not (whole or monitor.would_alarm(rows, told)):
            continue
        verdict = monitor.look(rows, told, rows)
        found[day], start = verdict.cause if verdict.alarms else None, day + 1
    return found


def _between(history: History, days: NDArray[np.int64], first: int, last: int) -> pa.Table:
    """Samples of these days, with `loss`; and `labelled`, by the day on which the truth is told."""
    rows = np.flatnonzero((days >= first) & (days <= last))
    rows = rows[np.argsort(days[rows], kind="stable")]
    told = pa.array(history.first_us + days[rows] * DAY_US, pa.timestamp("us", "UTC"))
    table = history.table(rows).append_column("labelled", told)
    truths = history.pools.truths
    if truths is not None and history.pools.futures is not None:  # of series, levers are held against the truths
        for name in truths.column_names:
            table = table.append_column(PREFIX + name, truths[name].take(pa.array(history.rows[rows])))
    return table.append_column(LOSS, pa.array(history.wrong[rows].astype(np.float64)))


def monitors_of_series(bundle: Bundle, store: Store, settings: MonitoringRecipe) -> Callable[[History, float], Monitor]:
    """How a service would monitor the rows that come after those a release of series knows."""
    fitted: dict[float, tuple[Monitor, str]] = {}

    def new(history: History, false_alarms: float) -> Monitor:
        from totalml.monitoring.opened import Opened

        if false_alarms not in fitted:
            chosen = settings.model_copy(update={"false_alarms_per_year": false_alarms})
            monitor = Opened.of(store, bundle.hash, chosen).monitor(len(history.rows) / history.days)
            fitted[false_alarms] = monitor, json.dumps(monitor.state())
        monitor, fresh = fitted[false_alarms]
        monitor.restore(json.loads(fresh))
        return monitor

    return new


def monitors(recipe: Recipe, signature: Signature, sent: Sequence[str]) -> Callable[[History, float], Monitor]:
    """How a service would monitor what a history brings it.

    Args: sent: metadata columns that callers send.
    """

    def new(history: History, false_alarms: float) -> Monitor:
        from totalml.monitoring.losses import LossOf
        from totalml.monitoring.monitor import Monitor
        from totalml.monitoring.opened import budget_of, positive_of

        reference = _before(history, history.reference_rows)
        season = _season(history)
        chosen = {"false_alarms_per_year": false_alarms, "seasons": (season,) if season else ()}
        settings = recipe.monitoring.model_copy(update=chosen)
        expected = {season.name: _before(history, history.expected_rows)} if season else {}
        columns = compared(reference.column_names, sent)
        per_day = len(history.rows) / history.days
        losses = LossOf.fit(reference, truth_of(signature))
        budget, positive = budget_of(settings, per_day), positive_of(signature)
        return Monitor(reference, columns, settings, budget, losses, seasons=expected, positive=positive)

    return new


def _before(history: History, rows: NDArray[np.int64] | None) -> pa.Table:
    """With what is true of them: of those that a monitor is fitted on it is known."""
    table, truths = history.pools.table, history.pools.truths
    assert table is not None  # noqa: S101  # for the type checker: scored pools have both
    assert truths is not None  # noqa: S101
    for name in truths.column_names:
        table = table.append_column(name, truths[name])
    return table.take(pa.array([] if rows is None else rows, pa.int64())).drop_columns("time")


def _season(history: History) -> SeasonSettings | None:
    """What a monitor is told of it."""
    if history.season is None or history.expected_rows is None:
        return None
    first, end = (date.fromtimestamp(FIRST_DAY_US / 1e6) + timedelta(days=day) for day in history.season)
    return SeasonSettings(name=EXPECTED, dates=f"{first}..{end - timedelta(days=1)}")
