"""What histories of a monitor come to: alarms a year where nothing happens, and the delay where something does.

Time counts until the first alarm of a history, so that one which stays is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from totalml.monitoring.budget import alarms_per_year
from totalml.monitoring.verdict import (
    OF_ATTRIBUTION,
    OF_FAIRNESS,
    OF_LABELS,
    OF_QUALITY,
    OF_SLICES,
    OF_STREAM,
    OF_WINDOW,
)

if TYPE_CHECKING:
    from totalml.evaluation.interval import Interval
    from totalml.monitoring.history import Looked
    from totalml.monitoring.planted import Planted

# That can alarm, each alone.
DETECTORS = (OF_QUALITY, OF_LABELS, OF_SLICES, OF_WINDOW, OF_STREAM, OF_FAIRNESS, OF_ATTRIBUTION)


@dataclass(frozen=True)
class Rate:
    """Args:
    name: of a detector, or of a cause.
    alarms: histories in which it alarmed.
    days: of all histories until it did.
    asked: share of the windows in which it had enough to say anything.
    lacking: what it said where it had not.
    """

    name: str
    alarms: int
    days: float
    asked: float = 1.0
    lacking: str = ""

    @property
    def per_year(self) -> Interval:
        return alarms_per_year(self.alarms, self.days)


@dataclass(frozen=True)
class Caught:
    """Args:
    truth: what it is to be called.
    found: of the histories, those with an alarm.
    days, rows: until the windows in which half of all histories alarmed were over; None: half did not.
    called: cause -> in how many the first alarm named it.
    """

    drift: str
    truth: str
    histories: int
    found: int
    days: float | None
    rows: int | None
    called: dict[str, int]


@dataclass(frozen=True)
class Calibration:
    """Args:
    promised: false alarms a year, of all detectors together.
    window_hours, window_rows: that windows have at least.
    fitted: rows that the monitors were fitted on.
    days: of each of the histories in which nothing happens.
    alarms: of all detectors together.
    """

    promised: float
    window_hours: float
    window_rows: int
    rows_per_day: float
    fitted: int
    histories: int
    days: float
    alarms: Rate
    detectors: tuple[Rate, ...]
    causes: tuple[Rate, ...]
    drifts: tuple[Caught, ...]

    @property
    def is_kept(self) -> bool:
        """Whether what was measured is no surely more than what was promised."""
        return (self.alarms.per_year.low or 0.0) <= self.promised


def first_alarm(history: Sequence[Looked]) -> Looked | None:
    return next((each for each in history if each.verdict.alarms), None)


def rate(
    name: str,
    calm: Sequence[Sequence[Looked]],
    since: datetime,
    first: Sequence[Looked | None],
    asked: float = 1.0,
    lacking: str = "",
) -> Rate:
    """Args: first: of each history the window with the alarm."""
    ends = [alarm or history[-1] for alarm, history in zip(first, calm, strict=True) if history]
    alarms = sum(each is not None for each in first)
    return Rate(name, alarms, sum(_days(each, since) for each in ends), asked, lacking)


def rates_of_detectors(calm: Sequence[Sequence[Looked]], since: datetime) -> Iterator[Rate]:
    for detector in DETECTORS:
        said = [[(each, each.verdict.of(detector)) for each in history] for history in calm]
        every = [found for history in said for _, found in history if found is not None]
        if every:
            first = [next((each for each, found in one if found is not None and found.alarm), None) for one in said]
            lacking = next((found.told for found in reversed(every) if found.more), "")
            asked = sum(not found.more for found in every) / len(every)
            yield rate(detector, calm, since, first, asked, lacking)


def rates_of_causes(calm: Sequence[Sequence[Looked]], since: datetime) -> Iterator[Rate]:
    alarms = [first_alarm(each) for each in calm]
    for cause, _ in Counter(each.verdict.cause for each in alarms if each).most_common():
        whole = rate(cause, calm, since, alarms)
        yield Rate(cause, sum(each is not None and each.verdict.cause == cause for each in alarms), whole.days)


def caught(drift: Planted, histories: Sequence[Sequence[Looked]], since: datetime) -> Caught:
    alarms = [first_alarm(each) for each in histories]
    delays = [
        (_days(alarm, since), sum(each.rows for each in history if each.end <= alarm.end))
        for alarm, history in zip(alarms, histories, strict=True)
        if alarm is not None
    ]
    days, rows = zip(*delays, strict=True) if delays else ((), ())
    called = Counter(each.verdict.cause for each in alarms if each)
    half = (len(histories) + 1) // 2
    is_half = len(delays) >= half
    return Caught(
        drift=drift.name,
        truth=drift.truth,
        histories=len(histories),
        found=len(delays),
        days=sorted(days)[half - 1] if is_half else None,
        rows=sorted(rows)[half - 1] if is_half else None,
        called=dict(called.most_common()),
    )


def _days(looked: Looked, since: datetime) -> float:
    return (datetime.fromisoformat(looked.end) - since) / timedelta(days=1)
