"""Keep a log, and labels, small and no longer than asked for: hours that are over become few files, old days go."""

from __future__ import annotations

import contextlib
import os
import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from totalml.background import Background
from totalml.errors import StoreError
from totalml.prediction_log.asked import remove_old_items
from totalml.prediction_log.sampled_pictures import PICTURES
from totalml.release.log_rows import LOG
from totalml.segments.rewriting import Rewriter
from totalml.segments.segment import LABELS, REWRITTEN, is_day
from totalml.store.locks import locked_if_free
from totalml.terminal import say

if TYPE_CHECKING:
    from totalml.prediction_log.settings import LogSettings
    from totalml.store import Store

OVER_SINCE = timedelta(minutes=10)  # until then segments of an hour may still arrive
FIRST_S, EVERY_S = (60.0, 600.0), (2700.0, 4500.0)  # apart, so that replicas seldom meet
LEAST_URGENT = 19


@dataclass
class Compacted:
    """Args:
    mistakes: of hours that stay as they are, each told in a line.
    """

    segments: int = 0
    mistakes: list[str] = field(default_factory=list)


def compact(store: Store, model: str, now: datetime) -> Compacted:
    """Make few files of each hour that is over, of the log and of labels.

    Raises: StoreError: what was begun earlier cannot be finished, or the store cannot be read.
    """
    compacted = Compacted()
    for folder in (LOG, LABELS):
        _compact(Rewriter(store, model, folder), compacted, now)
    return compacted


def _compact(rewriter: Rewriter, compacted: Compacted, now: datetime) -> None:
    rewriter.sweep()
    counting = rewriter.settled().counting
    waiting = Counter(each.hour for each in counting if each.writer != REWRITTEN)
    for hour in sorted(hour for hour, count in waiting.items() if count > 1 and hour.ends + OVER_SINCE <= now):
        try:
            compacted.segments += rewriter.compact(hour)
        except StoreError as error:
            compacted.mistakes.append(str(error))


def remove_older(store: Store, model: str, days: int, now: datetime, folder: str = LOG) -> list[str]:
    """Remove the days that ended more than so many days ago.

    Of a day that is a link only the link goes.

    Args: folder: LOG or PICTURES.
    Returns: the days.
    """
    before = f"{_first_day(days, now):%Y-%m-%d}"
    old = [day for day in store.names(folder, model) if is_day(day) and day < before]
    if old and folder == LOG:
        Rewriter(store, model).settled()
    for day in old:
        if store.is_link(folder, model, day):
            store.remove_file(folder, model, day)
            continue
        for name in store.names(folder, model, day):
            store.remove_file(folder, model, day, name)
    return old


def remove_older_items(store: Store, model: str, days: int, now: datetime) -> int:
    """Of reviews, what people were asked of those days. Returns: how many there were. Raises: as `remove_items`."""
    return remove_old_items(store, model, _first_day(days, now))


def _first_day(days: int, now: datetime) -> datetime:
    """That stays."""
    return (now.astimezone(UTC) - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)


class Housekeeping(Background):
    """The thread of a service that does all this about hourly. What goes wrong is told once, and tried again.

    Stopped, it may leave a rewrite half done; whoever comes next completes it.

    Args:
        every_s: bounds of the pause between two rounds.
    """

    def __init__(
        self,
        store: Store,
        model: str,
        settings: LogSettings,
        first_s: tuple[float, float] = FIRST_S,
        every_s: tuple[float, float] = EVERY_S,
    ) -> None:
        super().__init__("housekeeping")
        self.failed = ""
        self._store, self._model, self._settings = store, model, settings
        self._first_s, self._every_s = first_s, every_s

    def round(self) -> None:
        """Everything once, unless another process of this machine is at it."""
        lock = self._store.folder("locks") / f"prediction-log-{self._model}.lock"
        with locked_if_free(lock) as free:
            if free:
                self._tell(self._mistakes(datetime.now(UTC)))

    def _mistakes(self, now: datetime) -> str:
        found: list[str] = []
        for step in (self._compact, self._cut, self._cut_asked):
            try:
                found += step(now)
            except Exception as error:  # whatever a store may do, the service goes on
                found.append(str(error))
        return "; ".join(found)

    def _compact(self, now: datetime) -> list[str]:
        return compact(self._store, self._model, now).mistakes

    def _cut(self, now: datetime) -> list[str]:
        for folder, days in ((PICTURES, self._settings.picture_days), (LOG, self._settings.days)):
            if days is not None:
                remove_older(self._store, self._model, days, now, folder)
        return []

    def _cut_asked(self, now: datetime) -> list[str]:
        if self._settings.days is not None:
            remove_older_items(self._store, self._model, self._settings.days, now)
        return []

    def _tell(self, mistakes: str) -> None:
        if mistakes and mistakes != self.failed:
            say(f"housekeeping of the prediction log: {mistakes}")
        self.failed = mistakes

    def _work(self) -> None:
        with contextlib.suppress(OSError, AttributeError):  # of Linux: a thread has an urgency of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LEAST_URGENT)
        pause = random.uniform(*self._first_s)  # noqa: S311
        while not self._stop.wait(pause):
            try:
                self.round()
            except Exception as error:  # the lock cannot be taken
                self._tell(str(error))
            pause = random.uniform(*self._every_s)  # noqa: S311
