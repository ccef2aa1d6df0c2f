"""Look at what a release answers, window after window: each once, by whoever comes first, killed or not.

A window ends with its hours, after so many rows, or as soon as a test that runs along with them finds something that
was not found in the one before: what goes on for days is one alert, and needs no window every few seconds. What is
found is told before the window is written down, and told again by whoever finds a window that was not: alerts know
those that they have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.alerts.finding import Sample
from totalml.monitoring.history import Looked
from totalml.monitoring.traffic import EARLIEST, SETTLES, SOON
from totalml.monitoring.verdict import OF_WINDOW
from totalml.store.local_files import FileGoneError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from totalml.monitoring.monitor import Monitor
    from totalml.monitoring.verdict import Verdict
    from totalml.recipe.monitoring import WindowRecipe

TICK = timedelta(microseconds=1)  # of the log's clock
MOST_SHOWN = 30  # of a window, of those that show it and of the others, to be looked at by people


class Answers(Protocol):
    """As `Traffic`."""

    @property
    def late(self) -> int: ...

    def rows(self, since: datetime, until: datetime, most: int | None = None) -> pa.Table: ...

    def forget(self, before: datetime) -> None: ...

    def labelled(self, since: datetime, until: datetime) -> pa.Table: ...

    def first(self) -> datetime | None: ...

    def resumes(self, since: datetime) -> datetime | None: ...


class Memory(Protocol):
    """As `History`."""

    def last(self, release: str) -> Looked | None: ...

    def append(self, looked: Looked) -> bool: ...

    def save(self, state: Mapping[str, Any]) -> str: ...

    def load(self, state: str) -> dict[str, Any]: ...


@dataclass
class Watch:
    """Of one release.

    Args:
        monitor: a new one, of this release.
        tell: what is found, before it is written down.
        since: of a release that nobody has looked at, rows before it are left out.
        resolved: the last event by which people said that errors of it are over; 0: none is.
    """

    release: str
    history: Memory
    traffic: Answers
    monitor: Monitor
    window: WindowRecipe
    tell: Callable[[Looked], None]
    since: datetime = EARLIEST
    resolved: Callable[[], int] = lambda: 0

    def __post_init__(self) -> None:
        self._since: datetime | None = None  # rows of windows that had too few begin here
        self._start: datetime | None = None
        self._idle = False
        self._known: frozenset[str] = frozenset()  # detectors that found something in the last window

    def look(self, now: datetime, along: bool = False) -> Iterator[Looked]:
        """Every window that is over.

        Args:
            along: also what came since the last one; its window ends if anything new is found.
        Raises: StoreError: the log or the journal cannot be read or written; the next call goes on there.
        """
        settled, seen = now.astimezone(UTC) - SETTLES, now.astimezone(UTC) - (SOON if along else SETTLES)
        resolved = self.resolved()
        while (start := self._begin(seen)) is not None:
            if resolved:
                self.monitor.restart_after(resolved)
            end = min(self._boundary(start), seen)
            self.traffic.forget(self._since or start)
            rows = self.traffic.rows(start, end, self.window.most)
            if len(rows) >= self.window.most:
                end = rows["time"][self.window.most - 1].as_py() + TICK
                rows = rows.filter(pc.less(rows["time"], pa.scalar(end)))
            over = end < seen or self._boundary(start) <= settled
            if not over and not along:
                return
            labelled = self.traffic.labelled(start, end)
            if over and not len(rows) and not len(labelled) and self._idle:
                self._since = self._start = self._after_silence(end, seen)
                continue
            if not over and not self.monitor.would_alarm(rows, labelled, self._known):
                return
            yield from self._looked(start, end, rows, labelled)

    def ends(self) -> datetime | None:
        """When the window that is under way is over by its hours; None: nothing was answered yet."""
        start = self._begin(datetime.max.replace(tzinfo=UTC))
        return None if start is None else self._boundary(start)

    def _looked(self, start: datetime, end: datetime, rows: pa.Table, labelled: pa.Table) -> Iterator[Looked]:
        since = self._since or start
        together = self.traffic.rows(since, end) if since < start else rows
        bounds = (_microseconds(since), _microseconds(end))
        verdict = self.monitor.look(rows, labelled, together, bounds)
        carried = verdict.of(OF_WINDOW)
        enough = carried is None or not carried.more
        looked = Looked(
            release=self.release,
            since=_text(since),
            start=_text(start),
            end=_text(end),
            rows=len(rows),
            labels=len(labelled),
            verdict=verdict,
            state=self.history.save(self.monitor.state()),
            samples=_samples(together, verdict.rows) if verdict.alarms else (),
        )
        if verdict.alarms:
            self.tell(looked)
        if self.history.append(looked):
            self._start, self._since, self._idle = end, end if enough else since, not len(rows)
            self._known = _finders(verdict)
            yield looked
        else:
            self._start = None  # somebody else was first: go on from what that one wrote

    def _begin(self, settled: datetime) -> datetime | None:
        """Where the next window starts; None: nothing was answered yet, or is not settled."""
        if self._start is None:
            last = self.history.last(self.release)
            if last is not None:
                self._start, self._idle = datetime.fromisoformat(last.end), not last.rows
                self._known = _finders(last.verdict)
                carried = last.verdict.of(OF_WINDOW)
                self._since = datetime.fromisoformat(last.since) if carried and carried.more else self._start
                # Without it, as it was damaged and removed, the tests that run along begin anew.
                with suppress(FileGoneError):
                    self.monitor.restore(self.history.load(last.state))
            elif (first := self.traffic.first()) is not None:
                begins = begin_of(self.window, first)
                self._start = self._since = max(begins, self.since)
        return self._start if self._start is not None and self._start < settled else None

    def _after_silence(self, end: datetime, seen: datetime) -> datetime:
        """Where the window begins in which something came again, or the one under way.

        Windows between are not walked: of rows that a wrong clock dated 1970 there are decades of them.
        """
        came = self.traffic.resumes(end)
        until = seen if came is None else min(came, seen)
        return max(end, begin_of(self.window, until))

    def _boundary(self, time: datetime) -> datetime:
        """The end of the window by its hours."""
        return begin_of(self.window, time) + hours_of(self.window)


def hours_of(window: WindowRecipe) -> timedelta:
    return timedelta(hours=window.hours)


def begin_of(window: WindowRecipe, time: datetime) -> datetime:
    """Of the window by its hours; whole windows since 1970."""
    return time - (time - EARLIEST) % hours_of(window)


def _finders(verdict: Verdict) -> frozenset[str]:
    return frozenset(each.detector for each in verdict.evidence if each.alarm)


def _samples(rows: pa.Table, clearest: tuple[int, ...]) -> tuple[Sample, ...]:
    """Those that show it most, and of the others some by chance, whose labels tell of all of them."""
    first = list(clearest[:MOST_SHOWN])
    others = np.setdiff1d(np.arange(len(rows)), first)
    random = np.random.default_rng(len(rows))  # the same in each process that looks at this window
    drawn = random.permutation(others)[:MOST_SHOWN].tolist()
    some = rows.select(["request_id", "id", "input", "release"]).take(pa.array([*first, *drawn], pa.int64()))
    chances = [1.0] * len(first) + [len(drawn) / max(len(others), 1)] * len(drawn)
    return tuple(Sample(**row, probability=chance) for row, chance in zip(some.to_pylist(), chances, strict=True))


def _microseconds(time: datetime) -> int:
    return round(time.timestamp() * 1e6)


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")
