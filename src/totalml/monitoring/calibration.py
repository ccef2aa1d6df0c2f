"""What a monitor's promise comes to on its own reference: how often it alarms for nothing, and how late for something.

Histories are drawn as `drawn_traffic` says, and looked at window by window by a new monitor each, as a service's are.
Short ones tell of a year only if there are many of them; tests that run along begin each of them anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import DataError
from totalml.monitoring.budget import DAYS_A_YEAR, Budget
from totalml.monitoring.calibrated import (
    Calibration,
    caught,
    first_alarm,
    rate,
    rates_of_causes,
    rates_of_detectors,
)
from totalml.monitoring.drawn_traffic import (
    MONDAY_US,
    DrawnTraffic,
    arrivals,
    as_logged,
    profile_of,
    split_off,
    with_maps_of,
)
from totalml.monitoring.local_time import HOUR_US
from totalml.monitoring.monitor import Monitor
from totalml.monitoring.observations import observe
from totalml.monitoring.opened import budget_of
from totalml.monitoring.planted import drifts_for
from totalml.monitoring.traffic import SETTLES, compared
from totalml.monitoring.unwritten import Unwritten
from totalml.monitoring.watch import Watch
from totalml.prediction_log.settings import LogSettings
from totalml.progress import Progress
from totalml.release.log_rows import METADATA
from totalml.workers import Crew

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.monitoring.history import Looked
    from totalml.monitoring.losses import LossOf
    from totalml.monitoring.planted import Planted
    from totalml.recipe.monitoring import MonitoringRecipe

HISTORIES, OF_DRIFTS = 200, 5  # of nothing; for one of each drift
MOST_DAYS = 14.0  # of a history, unless the promise needs more
NO_ALARM = -math.log(0.025)  # of Poisson numbers with a greater mean, fewer than 2.5 % are 0
SURE = 6.0  # deviations of the number of rows that come
FULL = 2  # windows that a history has at least, also of those with the least rows
SLOWER = 0.9  # rows a day, from one number that is tried to the next
LARGEST = 0.25  # of the reference that one unit may hold, or it cannot be split


def calibrate(
    reference: pa.Table,
    settings: MonitoringRecipe,
    rows_per_day: float,
    losses: LossOf | None = None,
    columns: Sequence[str] | None = None,
    histories: int = HISTORIES,
    seed: int = 0,
    progress: Progress | None = None,
    positive: str | None = None,
    crew: Crew | None = None,
    maps: float = LogSettings().maps,
) -> Calibration:
    """Args:
        reference: as a release holds it.
        settings: their seasons are left out: all days are drawn alike.
        losses: None: nothing is known of truths.
        columns: of the reference, those that traffic has too; None: all that it can have.
        histories: in which nothing happens; of each drift a fifth.
        positive: class of which the share is looked at, by slice; None: none is.
        crew: of processes, each of which looks at some of the histories; what comes out is the same.
        maps: share of the rows of which a log says what the model looked at.
    Raises: DataError: the reference is too small; names the rows that are wanted.
    """
    if columns is None:
        columns = compared(reference.column_names, [name.removeprefix(METADATA) for name in reference.column_names])
    drawing = _Drawing.of(reference, settings, rows_per_day, losses, positive, maps, columns, histories)
    shown = progress or Progress.silent()

    def looked(count: int, drift: Planted | None) -> list[list[Looked]]:
        name = "nothing" if drift is None else drift.name
        look = partial(drawing.looked, seed=seed, drift=drift)
        made = (crew or Crew()).spread(look, range(count), lambda number: f"history {number} of {name}")
        return list(shown.track(made, name, count))

    calm = looked(histories, None)
    some = max(histories // OF_DRIFTS, 1)
    drifts = drifts_for(observe(reference.select(columns)), drawing.has_labels, settings.unit)
    every = [caught(drift, looked(some, drift), drawing.since) for drift in drifts]
    return Calibration(
        promised=settings.false_alarms_per_year,
        window_hours=settings.window.hours,
        window_rows=settings.window.rows,
        rows_per_day=rows_per_day,
        fitted=len(reference) - drawing.wanted,
        histories=histories,
        days=drawing.days,
        alarms=rate("all", calm, drawing.since, [first_alarm(each) for each in calm]),
        detectors=tuple(rates_of_detectors(calm, drawing.since)),
        causes=tuple(rates_of_causes(calm, drawing.since)),
        drifts=tuple(every),
    )


def bearable(reference: pa.Table, settings: MonitoringRecipe, most: float, histories: int = HISTORIES) -> float:
    """So many rows a day, at most `most`, that the promise can be measured on this reference; 1 at least."""
    per_day = most
    while per_day > 1 and not _Length.of(reference, settings, per_day, histories).fits(len(reference)):
        per_day = max(math.floor(per_day * SLOWER), 1.0)
    return per_day


@dataclass(frozen=True)
class _Length:
    """Args:
    days: that a history has at least.
    dispersion: of the number of rows, as a multiple of Poisson's.
    """

    budget: Budget
    days: float
    dispersion: float

    @classmethod
    def of(cls, reference: pa.Table, settings: MonitoringRecipe, rows_per_day: float, histories: int) -> _Length:
        budget = budget_of(settings, rows_per_day)
        dispersion = profile_of(reference, settings.zone, rows_per_day).dispersion
        promise = NO_ALARM / settings.false_alarms_per_year * DAYS_A_YEAR / histories
        least = max(promise, FULL * settings.window.rows / rows_per_day, FULL * budget.window_days)
        return cls(budget, math.ceil(least / budget.window_days) * budget.window_days, dispersion)

    def rows(self, days: float) -> int:
        """That come at most."""
        expected = days * self.budget.rows_per_day
        return math.ceil(expected + SURE * math.sqrt(self.dispersion * expected))

    def fits(self, known: int) -> bool:
        """Whether as many rows are left to fit a monitor on."""
        return 2 * self.rows(self.days) <= known


@dataclass(frozen=True)
class _Drawing:
    """Args:
    wanted: rows that are split off for a history.
    days: of one.
    """

    reference: pa.Table
    settings: MonitoringRecipe
    budget: Budget
    losses: LossOf | None
    positive: str | None
    maps: float
    columns: Sequence[str]
    known: NDArray[np.float64]
    units: NDArray[np.int64] | None
    days: float
    wanted: int

    @classmethod
    def of(
        cls,
        reference: pa.Table,
        settings: MonitoringRecipe,
        rows_per_day: float,
        losses: LossOf | None,
        positive: str | None,
        maps: float,
        columns: Sequence[str],
        histories: int,
    ) -> _Drawing:
        unit = settings.unit if f"{METADATA}{settings.unit}" in columns else None
        units = observe(reference, unit).units
        _check_units(units, unit)
        length = _Length.of(reference, settings, rows_per_day, histories)
        rows, days, step = length.rows, length.days, length.budget.window_days
        if not length.fits(len(reference)):
            raise DataError(
                f"a reference of {len(reference):,} rows is too small to measure {settings.false_alarms_per_year:g} "
                f"false alarms a year in {histories:,} histories: each takes {days:.3g} days of {rows_per_day:,.4g} "
                f"rows, and the monitor is fitted on as many others, so {2 * rows(days):,} rows are wanted. "
                "Give the run more samples to validate and test with, fewer --rows-per-day, or more --histories"
            )
        while days + step <= MOST_DAYS and 2 * rows(days + step) <= len(reference):
            days += step
        known = np.full(len(reference), np.nan) if losses is None else losses.of_reference(reference)
        settings = settings.model_copy(update={"seasons": ()})
        return cls(reference, settings, length.budget, losses, positive, maps, columns, known, units, days, rows(days))

    @property
    def has_labels(self) -> bool:
        return not bool(np.isnan(self.known).all())

    @property
    def since(self) -> datetime:
        """With which a window begins."""
        hours = self.settings.window.hours
        return datetime.fromtimestamp(math.ceil(MONDAY_US / 3.6e9 / hours) * hours * 3600, UTC)

    def looked(self, number: int, seed: int, drift: Planted | None) -> list[Looked]:
        """The windows of one history, of a drift up to the first alarm; the same for the same arguments."""
        random = np.random.default_rng([seed, number])
        left, drawn = split_off(len(self.reference), self.units, self.wanted, random)
        per_day = self.budget.rows_per_day
        profile = profile_of(self.reference, self.settings.zone, per_day)
        start = round(self.since.timestamp() * 1e6)
        times = arrivals(profile, start, math.ceil(self.days * 24), random)
        times = times[times < start + self.days * 24 * HOUR_US][: len(drawn)]
        drawn = drawn[: len(times)]
        table = as_logged(self.reference.take(drawn), self.known[drawn], times, self.columns)
        if drift is not None:
            table = drift.change(table, random)
        table = with_maps_of(table, self.maps, random)
        reference = self.reference.take(left)
        asked = (reference, self.columns, self.settings, self.budget, self.losses, per_day)
        monitor = Monitor(*asked, positive=self.positive, seed=seed + number)
        traffic, window = DrawnTraffic(table), self.settings.window
        watch = Watch("", Unwritten(), traffic, monitor, window, lambda _: None, self.since)
        found = []
        for looked in watch.look(self.since + timedelta(days=self.days) + SETTLES):
            found.append(looked)
            if drift is not None and looked.verdict.alarms:
                break
        return found


def _check_units(units: NDArray[np.int64] | None, unit: str | None) -> None:
    """Raises: DataError: one holds so much that the reference cannot be split by whole ones."""
    if units is None:
        return
    largest, count = int(np.bincount(units).max()), len(units)
    if largest > LARGEST * count:
        raise DataError(
            f"one {unit} holds {largest:,} of the {count:,} rows of the reference, which cannot be split by whole "
            f"ones; {math.ceil(largest / LARGEST):,} rows are wanted. Give the run samples of more of them"
        )
