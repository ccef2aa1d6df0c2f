"""What was predicted, for monitors and for labels that come later: immutable Parquet segments in the store.

No pictures are kept. Writing never delays an answer: where it cannot keep up rows are dropped, and counted. A segment
is written every second, so that a kill loses the last second at most. Columns are named as in a release's reference.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from totalml.data.snapshot import parquet_bytes
from totalml.identity import short
from totalml.release.log_rows import input_hash, log_columns
from totalml.release.onnx_model import IMAGE
from totalml.store import Store

if TYPE_CHECKING:
    from totalml.serving.batcher import Answered, Asked

LOG = "predictions"  # folder of the store: predictions/<model>/<day>/<segment>.parquet
EVERY_S = 1.0
MOST = 20_000  # samples that wait to be written


@dataclass(frozen=True)
class _Noted:
    when: datetime
    asked: Asked
    answered: Answered
    seconds: float


class PredictionLog:
    """Args:
    store: where the segments go.
    model: whose predictions they are.
    """

    def __init__(self, store: Store, model: str) -> None:
        self.written = self.dropped = 0
        self._store, self._model = store, model
        self._replica, self._segments = uuid.uuid4().hex[:8], 0
        self._waiting: deque[_Noted] = deque()
        self._samples = 0
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """After all that waits has been written."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def add(self, asked: Asked, answered: Answered) -> None:
        """Note an answer; returns at once."""
        with self._lock:
            if self._samples + answered.count > MOST:
                self.dropped += answered.count
                return
            self._samples += answered.count
            self._waiting.append(_Noted(datetime.now(UTC), asked, answered, time.perf_counter() - asked.since))

    def _write(self) -> None:
        while not self._stop.wait(EVERY_S):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        with self._lock:
            noted, self._waiting = self._waiting, deque()
        if not noted:
            return
        samples = sum(each.answered.count for each in noted)
        try:
            for release, some in _by_release(noted).items():
                self._save(release, some)
            self.written += samples
        except Exception as error:  # a full disk, or whatever was asked, ends neither service nor log
            self.dropped += samples
            with contextlib.suppress(OSError):
                print(f"{samples} rows of the prediction log are lost: {error}", file=sys.stderr, flush=True)
        finally:
            with self._lock:
                self._samples -= samples

    def _save(self, release: str, noted: Sequence[_Noted]) -> None:
        table = pa.concat_tables([_table(each, release, self._replica) for each in noted])
        self._segments += 1
        first = noted[0].when
        name = f"{first:%H%M%S}-{self._replica}-{self._segments:06}-{short(release)}.parquet"
        self._store.save_file(parquet_bytes(table), LOG, self._model, f"{first:%Y-%m-%d}", name)


def _by_release(noted: Sequence[_Noted]) -> dict[str, list[_Noted]]:
    """A segment holds one, so that its columns are the same in all rows."""
    found: dict[str, list[_Noted]] = {}
    for each in noted:
        found.setdefault(each.answered.loaded.release, []).append(each)
    return found


def _table(noted: _Noted, release: str, replica: str) -> pa.Table:
    asked, answered = noted.asked, noted.answered
    scored, count = answered.scored, answered.count
    columns: dict[str, Any] = {
        "request_id": pa.array([asked.request_id] * count, pa.string()),
        "id": pa.array(asked.ids, pa.string()),
        "time": pa.array([noted.when] * count, pa.timestamp("us", "UTC")),
        "release": pa.array([release] * count, pa.string()),
        "replica": pa.array([replica] * count, pa.string()),
        "input": pa.array(_input_hashes(asked), pa.string()),
        "seconds": pa.array(np.full(count, noted.seconds, np.float32)),
    }
    part = slice(answered.first, answered.first + count)
    columns |= log_columns(scored, part, answered.inputs.get(IMAGE), asked.rows)
    return pa.table(columns)


def _input_hashes(asked: Asked) -> list[str]:
    rows = asked.rows.to_pylist() if asked.rows is not None else [{}] * len(asked.ids)
    pictures = asked.pictures if asked.pictures is not None else [b""] * len(asked.ids)
    return [input_hash(picture, row) for picture, row in zip(pictures, rows, strict=True)]
