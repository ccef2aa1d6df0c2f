"""Logs as replicas write them, and what is in them, told without the reader."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from totalml.data.snapshot import parquet_bytes
from totalml.segments.segment import Segment
from totalml.store import Store

MODEL = "pints"
RELEASES = ("blake3:" + "1" * 64, "blake3:" + "2" * 64)
REPLICAS = ("0000000a", "0000000b")
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)

# Where the store is not what is looked at; on a server each request takes 12 ms.
NEAR = pytest.mark.parametrize("place", ["folder", "memory"], indirect=True)


class Writer:
    """A replica that writes segments of rows, which are named by `input`."""

    def __init__(self, store: Store, replica: str = REPLICAS[0]) -> None:
        self.store, self.replica, self.written = store, replica, 0

    def write(self, inputs: Sequence[str], when: datetime = NOON, release: int = 0) -> None:
        self.written += 1
        segment = Segment.new(when, self.replica, self.written, RELEASES[release])
        self.store.save_file(parquet_bytes(rows(inputs, when, release, self.replica)), *segment.path(MODEL))


def rows(inputs: Sequence[str], when: datetime, release: int, replica: str) -> pa.Table:
    """Each release has columns and a length of embeddings of its own."""
    count, length = len(inputs), 2 + release
    columns: dict[str, Any] = {
        "request_id": pa.array([f"request {each}" for each in inputs], pa.string()),
        "time": pa.array([when + timedelta(milliseconds=n) for n in range(count)], pa.timestamp("us", "UTC")),
        "release": pa.array([RELEASES[release]] * count, pa.string()),
        "replica": pa.array([replica] * count, pa.string()),
        "input": pa.array(inputs, pa.string()),
        f"answer:{release}": pa.array(range(count), pa.int32()),
        "embedding": pa.array([[0.5] * length] * count, pa.list_(pa.float32(), length)),
    }
    return pa.table(columns)


def files(store: Store) -> list[tuple[str, ...]]:
    days = store.names("predictions", MODEL)
    return [("predictions", MODEL, day, name) for day in days for name in store.names("predictions", MODEL, day)]


def inputs_there(store: Store) -> list[str]:
    """As whoever globs the files finds them; sorted."""
    found: list[str] = []
    for path in files(store):
        with store.open_file(*path) as file:
            found += pq.read_table(BytesIO(file.read()), columns=["input"])["input"].to_pylist()
    return sorted(found)
