"""What was predicted, for monitors and for labels that come later: immutable Parquet segments in the store.

The log's own thread measures what pictures look like, and lets go of them within a tenth of a second; it keeps those of
a share of the requests, if told to.
Writing never delays an answer: where it cannot keep up rows are dropped, and counted. A segment is written each second,
so that a kill loses the last second at most. Columns are named as in a release's reference.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from totalml.data.image_properties import PROPERTIES, image_properties
from totalml.data.snapshot import parquet_bytes
from totalml.deployment.deployment import LIVE, SHADOW
from totalml.errors import StoreError, TotalmlError
from totalml.prediction_log.sampled_pictures import is_sampled, save_picture
from totalml.prediction_log.segment import Segment
from totalml.release.log_rows import input_hash, log_columns, metadata_columns
from totalml.release.onnx_model import IMAGE
from totalml.serving.body import RefusedError
from totalml.serving.exchange import Answered
from totalml.serving.limits import STOPS_WITHIN_S
from totalml.store import Store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.release.scorer import Scored
    from totalml.serving.exchange import Arm, Asked

LONGEST_REASON = 200  # characters
EVERY_S = 1.0
MEASURED_EVERY_S = 0.1  # until then the pictures are held
MOST = 20_000  # samples that wait to be written
MOST_BYTES = 256 * 2**20  # of pictures that wait to be measured


@dataclass(frozen=True)
class _Noted:
    """Args: ended: how; or why it has no answer."""

    when: datetime
    asked: Asked
    arm: Arm
    ended: Answered | Exception
    seconds: float

    @property
    def held(self) -> int:
        """Bytes of its pictures, as they were sent and decoded."""
        pictures, seen = self.asked.pictures or (), self.ended.inputs if isinstance(self.ended, Answered) else {}
        decoded = seen.get(IMAGE)
        return sum(map(len, pictures)) + (0 if decoded is None else decoded.nbytes)


@dataclass(frozen=True)
class _Measured:
    """What is left of an answer without its pictures.

    Args:
        error: why there is no answer; empty: there is one.
        scored: where there is no answer, that of nothing, for its form.
        place: its first row in what was scored, and how many it has there.
        hashes: of each input.
        properties: of its pictures; none where there are no pictures.
    """

    when: datetime
    request_id: str
    ids: Sequence[str]
    rows: pa.Table | None
    arm: Arm
    share: float
    error: str
    scored: Scored
    place: tuple[int, int]
    seconds: float
    hashes: Sequence[str]
    properties: Mapping[str, NDArray[np.float32]]


class PredictionLog:
    """Args:
    store: where the segments go.
    model: whose predictions they are.
    pictures: share of the requests whose pictures are kept.
    """

    def __init__(self, store: Store, model: str, pictures: float = 0.0) -> None:
        self.written = self.dropped = 0
        self._store, self._model, self._pictures = store, model, pictures
        self._replica, self._segments = uuid.uuid4().hex[:8], 0
        self._waiting: deque[_Noted] = deque()
        self._measured: list[_Measured] = []  # of the log's own thread
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
            noted = _Noted(datetime.now(UTC), asked, arm, ended, time.perf_counter() - asked.since)
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
        while self._waiting:  # only this thread takes from it
            noted = self._waiting.popleft()
            try:
                measured = _measured(noted)
                self._measured.append(measured)
            except Exception as error:  # whatever was asked ends neither service nor log
                self._lose(len(noted.asked.ids), error)
            else:
                self._keep_pictures(noted, measured.hashes)
            with self._lock:
                self._held -= noted.held

    def _keep_pictures(self, noted: _Noted, hashes: Sequence[str]) -> None:
        if noted.arm.name == SHADOW or not is_sampled(noted.asked.request_id, self._pictures):
            return
        for picture, hashed in zip(noted.asked.pictures or (), hashes, strict=False):
            try:
                save_picture(self._store, self._model, noted.when, hashed, picture)
            except StoreError as error:
                _say(f"a picture that was to be kept is lost: {error}")

    def _flush(self) -> None:
        measured, self._measured = self._measured, []
        lost: Exception | None = None
        for release, some in _by_release(measured).items():
            samples = sum(len(each.ids) for each in some)
            try:
                if lost is None:
                    self._save(release, some)
            except Exception as error:  # nor does a full disk
                lost = error
            if lost is not None:
                self._lose(samples, lost)
            else:
                self.written += samples
                self._let_go(samples)

    def _lose(self, samples: int, error: Exception) -> None:
        self.dropped += samples
        self._let_go(samples)
        _say(f"{samples} rows of the prediction log are lost: {error}")

    def _let_go(self, samples: int) -> None:
        with self._lock:
            self._samples -= samples

    def _save(self, release: str, measured: Sequence[_Measured]) -> None:
        table = _table(measured, release, self._replica)
        self._segments += 1
        segment = Segment.new(measured[0].when, self._replica, self._segments, release)
        self._store.save_file(parquet_bytes(table), *segment.path(self._model))


def _say(line: str) -> None:
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def _measured(noted: _Noted) -> _Measured:
    asked, ended, known = noted.asked, noted.ended, noted.arm.loaded
    seen = ended.inputs if isinstance(ended, Answered) else {}
    return _Measured(
        when=noted.when,
        request_id=asked.request_id,
        ids=asked.ids,
        rows=asked.rows,
        arm=noted.arm,
        share=asked.share,
        error="" if isinstance(ended, Answered) else _reason(ended),
        scored=ended.scored if isinstance(ended, Answered) else known.nothing,
        place=(ended.first, ended.count) if isinstance(ended, Answered) else (0, 0),
        seconds=noted.seconds,
        hashes=_input_hashes(asked),
        properties=image_properties(seen[IMAGE]) if IMAGE in seen else {},
    )


def _reason(error: Exception) -> str:
    """As a caller is told; of a mistake of ours its kind."""
    told = str(error) if isinstance(error, TotalmlError | RefusedError) else ""
    return told.encode(errors="replace").decode()[:LONGEST_REASON] or type(error).__name__


def _by_release(measured: Sequence[_Measured]) -> dict[str, list[_Measured]]:
    """A segment holds one, so that its columns are the same in all rows.

    What answers all comes last: a judge counts a challenger up to the last row that it sees of the other one.
    """
    found: dict[str, list[_Measured]] = {}
    for each in sorted(measured, key=lambda each: each.arm.name == LIVE):
        found.setdefault(each.arm.loaded.release, []).append(each)
    return found


def _table(measured: Sequence[_Measured], release: str, replica: str) -> pa.Table:
    """Of many answers at once: a table for each would cost more than the answer.

    What could not be answered stands at the end, with nulls where the answers would be.
    """
    measured = sorted(measured, key=lambda each: each.error != "")
    counts = [len(each.ids) for each in measured]
    columns: dict[str, Any] = {
        "request_id": pa.array(_repeated([each.request_id for each in measured], counts), pa.string()),
        "id": pa.array([id_ for each in measured for id_ in each.ids], pa.string()),
        "sample": pa.array([number for count in counts for number in range(count)], pa.int32()),
        "time": pa.array(_repeated([each.when for each in measured], counts), pa.timestamp("us", "UTC")),
        "release": pa.array([release] * sum(counts), pa.string()),
        "arm": pa.array(_repeated([each.arm.name for each in measured], counts), pa.string()),
        "share": pa.array(np.repeat(np.array([each.share for each in measured], np.float64), counts)),
        "error": pa.array(_repeated([each.error or None for each in measured], counts), pa.string()),
        "replica": pa.array([replica] * sum(counts), pa.string()),
        "input": pa.array([hash_ for each in measured for hash_ in each.hashes], pa.string()),
        "seconds": pa.array(np.repeat(np.array([each.seconds for each in measured], np.float32), counts)),
    }
    answered = sum(count for each, count in zip(measured, counts, strict=True) if not each.error)
    return pa.table(columns | _answered_columns(measured, answered, sum(counts))).combine_chunks()


def _answered_columns(measured: Sequence[_Measured], answered: int, count: int) -> dict[str, Any]:
    """Args: answered: rows that have an answer, the first ones; `count`: all."""
    some = [each for each in measured if not each.error] or measured[:1]
    first = some[0]
    names = first.properties or (PROPERTIES if first.arm.loaded.scorer.image else ())
    properties = {
        name: np.concatenate([each.properties.get(name, np.zeros(0, np.float32)) for each in some]) for name in names
    }
    said = log_columns(
        answers=pa.concat_tables([each.scored.answers.slice(*each.place) for each in some]),
        properties=properties,
        rows=None,
        embeddings=_joined(some, [each.scored.embeddings for each in some]),
        strangeness=_joined(some, [each.scored.strangeness for each in some]),
    )
    filled = {name: _filled(column, count - answered) for name, column in said.items()}
    if first.rows is None:
        return filled
    return metadata_columns(pa.concat_tables([each.rows for each in measured])) | filled


def _filled(column: Any, lacking: int) -> Any:
    """With nulls at its end; an embedding holds them, as pyarrow cannot read one that is null as a whole."""
    if not lacking:
        return column
    parts, kind = column.chunks if isinstance(column, pa.ChunkedArray) else [column], column.type
    nothing = pa.nulls(lacking, kind)
    if pa.types.is_fixed_size_list(kind):
        nothing = pa.FixedSizeListArray.from_arrays(pa.nulls(lacking * kind.list_size, kind.value_type), type=kind)
    return pa.chunked_array([*parts, nothing], kind)


def _joined(measured: Sequence[_Measured], scored: Sequence[Any]) -> Any:
    """The rows of each in what it was scored with; None if there is nothing of the kind."""
    if scored[0] is None:
        return None
    places = zip(scored, (each.place for each in measured), strict=True)
    return np.concatenate([values[first : first + count] for values, (first, count) in places])


def _repeated(values: Sequence[Any], counts: Sequence[int]) -> list[Any]:
    return [value for value, count in zip(values, counts, strict=True) for _ in range(count)]


def _input_hashes(asked: Asked) -> list[str]:
    rows = asked.rows.to_pylist() if asked.rows is not None else [{}] * len(asked.ids)
    pictures = asked.pictures if asked.pictures is not None else [b""] * len(asked.ids)
    return [input_hash(picture, row) for picture, row in zip(pictures, rows, strict=True)]
