"""Traffic of a release as a service keeps it, with known answers, at known times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby

import numpy as np
import pyarrow as pa

from totalml.data.snapshot import parquet_bytes
from totalml.evaluation.classification.truth import ClassTruth
from totalml.labels.columns import table_of
from totalml.labels.label import Label
from totalml.labels.labels import Segments
from totalml.segments.segment import Segment
from totalml.store import Store

MODEL = "pints"
RELEASE, OTHER = "blake3:" + "1" * 64, "blake3:" + "2" * 64
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
TRUTH = ClassTruth(("bad", "good"))


class Service:
    """A replica that writes what was answered."""

    def __init__(self, store: Store, replica: str = "0000000a") -> None:
        self.store, self.replica, self.written = store, replica, 0

    def answer(
        self,
        times: Sequence[datetime],
        release: str = RELEASE,
        said: Sequence[str | int] | None = None,
        ids: str = "",
    ) -> list[str]:
        """One request each; gives their ids. A file of the log spans seconds, so here each day has its own."""
        days = [[*of_day] for _, of_day in groupby(times, datetime.date)]
        if len(days) > 1:
            return [given for of_day in days for given in self.answer(of_day, release, None, ids)]
        self.written += 1
        count = len(times)
        given = [f"{ids or self.replica}-{self.written}-{number}" for number in range(count)]
        columns = {
            "request_id": pa.array(given, pa.string()),
            "id": pa.array(["0"] * count, pa.string()),
            "sample": pa.array([0] * count, pa.int32()),
            "time": pa.array(times, pa.timestamp("us", "UTC")),
            "release": pa.array([release] * count, pa.string()),
            "arm": pa.array(["live"] * count, pa.string()),
            "error": pa.nulls(count, pa.string()),
            "replica": pa.array([self.replica] * count, pa.string()),
            "input": pa.array(given, pa.string()),
            "answer:predicted": pa.array(said or ["good"] * count),
            "answer:p:good": pa.array(np.linspace(0.5, 0.9, count)),
        }
        segment = Segment.new(times[0], self.replica, self.written, release)
        self.store.save_file(parquet_bytes(pa.table(columns)), *segment.path(MODEL))
        return given

    def label(self, requests: Sequence[str], said: str) -> None:
        labels = [Label(each, None, {"label": said}) for each in requests]
        Segments(self.store, MODEL).save(table_of(labels, TRUTH, "tests"))


def every(minutes: float, count: int, since: datetime = MIDNIGHT) -> list[datetime]:
    return [since + timedelta(minutes=minutes * number) for number in range(count)]
