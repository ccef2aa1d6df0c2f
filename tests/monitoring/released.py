"""A release that no model was trained for: what it was judged on, what it answered since, and what is true of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from tests.monitoring.traffic import MODEL
from totalml.data.snapshot import parquet_bytes
from totalml.registry import Aliases, Promotion
from totalml.release.bundle import PERIODS, RECIPE, REFERENCE, SIGNATURE, Bundle, new_folder, save_bundle
from totalml.release.signature import Signature
from totalml.segments.segment import Segment
from totalml.store import Store

SIGNED = Signature(
    task="classification",
    targets=("bad", "good"),
    picture=None,
    max_megapixels=1.0,
    numeric=("age",),
    categorical={"pub": ("a", "b", "c")},
    made=(),
    answers={"predicted": "string", "p:good": "double"},
    units={},
    context={"uploader": "text"},
)
ERRS = 0.05


def rows(count: int, seed: int = 0, each: int = 1) -> pa.Table:
    """All alike, as a reference holds them. Args: each: rows of one uploader, who is of one age."""
    random = np.random.default_rng(seed)
    good = random.random(count) < 0.5
    told = good ^ (random.random(count) < ERRS)
    uploader = np.arange(count) // each
    age = random.normal(40, 10, count)[uploader] + random.normal(0, 0.1 if each > 1 else 0, count)
    return pa.table(
        {
            "id": [f"{seed}-{number}" for number in range(count)],
            "label": np.where(good, "good", "bad"),
            "answer:predicted": np.where(told, "good", "bad"),
            "answer:p:good": np.clip(random.normal(0.2 + 0.6 * told, 0.1), 0, 1),
            "metadata:age": age,
            "metadata:pub": random.choice(["a", "b", "c"], count, p=[0.5, 0.3, 0.2]),
            "metadata:uploader": [f"{seed}-u{each}" for each in uploader],
        }
    )


def release(
    store: Store,
    reference: pa.Table,
    monitoring: Mapping[str, Any],
    alias: str = "production",
    periods: pa.Table | None = None,
    signature: Signature = SIGNED,
) -> Bundle:
    """Args: periods: as `periods_table` makes them; None: it is of no series."""
    with new_folder(store) as folder:
        (folder / REFERENCE).parent.mkdir()
        (folder / REFERENCE).write_bytes(parquet_bytes(reference))
        if periods is not None:
            (folder / PERIODS).write_bytes(parquet_bytes(periods))
        (folder / SIGNATURE).write_text(json.dumps(signature.as_json()))
        (folder / RECIPE).write_text(yaml.safe_dump({"monitoring": dict(monitoring)}))
        facts = {"name": MODEL, "run_id": "00000000-00000000", "attempt": 1}
        bundle = save_bundle(folder, facts, store)
    named = Promotion(
        "2026-01-01T00:00:00+00:00", alias, facts["run_id"], facts["attempt"], "", "eve", release=bundle.hash
    )
    Aliases(store, MODEL).move(lambda _: named)
    return bundle


def answer(store: Store, given: pa.Table, times: Sequence[datetime], release: str) -> None:
    """A file of the log for each day. Args: times: ascending."""
    done = 0
    for number, (_, of_day) in enumerate(groupby(times, datetime.date)):
        moments = [*of_day]
        some, count = given.slice(done, len(moments)), len(moments)
        done += count
        known = {name: some[name] for name in some.column_names if name != "label"}
        columns = {
            "request_id": some["id"],
            **known,
            "sample": pa.array([0] * count, pa.int32()),
            "time": pa.array(moments, pa.timestamp("us", "UTC")),
            "release": [release] * count,
            "arm": ["live"] * count,
            "error": pa.nulls(count, pa.string()),
            "replica": ["0000000a"] * count,
            "input": some["id"],
        }
        segment = Segment.new(moments[0], "0000000a", number, release)
        store.save_file(parquet_bytes(pa.table(columns)), *segment.path(MODEL))
