"""What was predicted, for monitors and for labels that come later: immutable Parquet segments in the store.

The log's own thread measures what pictures look like, and lets go of them within a tenth of a second; of a share of the
requests it asks what the model looked at, and keeps the pictures if told to.
Writing never delays an answer: where it cannot keep up rows are dropped, and counted. A segment is written each second,
so that a kill loses the last second at most. Columns are named as in a release's reference.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from totalml.background import STOPS_WITHIN_S
from totalml.data.snapshot import parquet_bytes
from totalml.deployment.stages import LIVE, SHADOW
from totalml.errors import StoreError
from totalml.prediction_log.sampled_pictures import is_sampled, save_picture
from totalml.segments.segment import Segment
from totalml.serving.logged import Measured, Noted, measured_of, table_of
from totalml.serving.looked_at import LookedAt
from totalml.store import Store
from totalml.terminal import say
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.serving.exchange import Answered, Arm, Asked

EVERY_S = 1.0
MEASURED_EVERY_S = 0.1  # until then the pictures are held
TOGETHER_BYTES = 2**20  # of pictures that are measured at once
MOST = 20_000  # samples that wait to be written
MOST_BYTES = 256 * 2**20  # of pictures that wait to be measured


class PredictionLog:
    """Args:
    store: where the segments go.
    model: whose predictions they are.
    pictures: share of the requests whose pictures are kept.
    maps: share of those of which it is kept what the model looked at.
    """

    def __init__(self, store: Store, model: str, pictures: float = 0.0, maps: float = 0.0) -> None:
        self.looked_at = LookedAt(maps)
        self.written = self.dropped = 0
        self._store, self._model, self._pictures = store, model, pictures
        self._replica, self._segments = uuid.uuid4().hex[:8], 0
        self._waiting: deque[Noted] = deque()
        self._measured: list[Measured] = []  # of the log's own thread
        self._samples = self._held = 0
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """After all that waits has been written, or when it takes too long."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2 * STOPS_WITHIN_S)

    def add(self, asked: Asked, answered: Answered) -> None:
        """Note an answer; returns at once."""
        self._note(asked, answered.arm, answered)

    def add_failed(self, asked: Asked, arm: Arm, error: Exception) -> None:
        """Note that there is none; returns at once."""
        self._note(asked, arm, error)

    def _note(self, asked: Asked, arm: Arm, ended: Answered | Exception) -> None:
        count = len(asked.ids)
        with self._lock:  # also the clock, so that rows stand in the order of their time
            noted = Noted(datetime.now(UTC), asked, arm, ended, time.perf_counter() - asked.since)
            if self._samples + count > MOST or self._held + noted.held > MOST_BYTES:
                self.dropped += count
                return
            self._samples += count
            self._held += noted.held
            self._waiting.append(noted)

    def _write(self) -> None:
        due = time.monotonic() + EVERY_S
        while not self._stop.wait(MEASURED_EVERY_S):
            self._measure()
            if time.monotonic() >= due:
                self._flush()
                due = time.monotonic() + EVERY_S
        self._measure()
        self._flush()

    def _measure(self) -> None:
        while some := self._taken():
            for noted, measured in zip(some, measured_of(some, self.looked_at.of), strict=True):
                if isinstance(measured, Exception):
                    self._lose(len(noted.asked.ids), measured)
                else:
                    self._measured.append(measured)
                    self._keep_pictures(noted, measured.hashes)
            with self._lock:
                self._held -= sum(noted.held for noted in some)

    def _taken(self) -> list[Noted]:
        """Of what waits, so many as are measured together; only this thread takes."""
        some: list[Noted] = []
        size = 0
        while self._waiting and size < TOGETHER_BYTES:
            some.append(self._waiting.popleft())
            size += some[-1].held
        return some

    def _keep_pictures(self, noted: Noted, hashes: Sequence[str]) -> None:
        if noted.arm.name == SHADOW or not is_sampled(noted.asked.request_id, self._pictures):
            return
        for picture, hashed in zip(noted.asked.pictures or (), hashes, strict=False):
            try:
                save_picture(self._store, self._model, noted.when, hashed, picture)
            except StoreError as error:
                say(f"a picture that was to be kept is lost: {error}")

    def _flush(self) -> None:
        """Whole or not at all: rows of one arm alone would tell for or against it."""
        measured, self._measured = self._measured, []
        samples = sum(len(each.ids) for each in measured)
        saved: list[Segment] = []
        try:
            for release, some in _by_release(measured).items():
                saved.append(self._save(release, some))
        except Exception as error:  # nor does a full disk stop the thread
            self._lose(samples, error)
            for segment in saved:
                with contextlib.suppress(StoreError):
                    self._store.remove_file(*segment.path(self._model))
        else:
            self.written += samples
            self._let_go(samples)

    def _lose(self, samples: int, error: Exception) -> None:
        self.dropped += samples
        self._let_go(samples)
        say(f"lost {counted(samples, 'row')} of the prediction log: {error}")

    def _let_go(self, samples: int) -> None:
        with self._lock:
            self._samples -= samples

    def _save(self, release: str, measured: Sequence[Measured]) -> Segment:
        table = table_of(measured, release, self._replica)
        self._segments += 1
        segment = Segment.new(measured[0].when, self._replica, self._segments, release)
        self._store.save_file(parquet_bytes(table), *segment.path(self._model))
        return segment


def _by_release(measured: Sequence[Measured]) -> dict[str, list[Measured]]:
    """A segment holds one, so that its columns are the same in all rows.

    What answers all comes last: a judge counts a challenger up to the last row that it sees of the other one.
    """
    found: dict[str, list[Measured]] = {}
    for each in sorted(measured, key=lambda each: each.arm.name == LIVE):
        found.setdefault(each.arm.loaded.release, []).append(each)
    return found
