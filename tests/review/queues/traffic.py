"""A release with a reference whose pictures lie in a snapshot, and a log of what was asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from tests.serving.serving import PICTURE, picture, release
from totalml.data.snapshot import parquet_bytes
from totalml.prediction_log.sampled_pictures import save_picture
from totalml.release.bundle import Bundle, new_folder, save_bundle
from totalml.release.log_rows import input_hash
from totalml.segments.segment import Segment
from totalml.store import Store

MODEL = "pints"
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def reference(count: int = 40) -> bytes:
    random = np.random.default_rng(3)
    columns = {
        "id": [f"pint-{n:03}" for n in range(count)],
        "split": ["test" if n % 2 else "validation" for n in range(count)],
        "label": ["light" if n % 3 else "dark" for n in range(count)],
        **answers(random.random(count)),
        "embedding": pa.FixedSizeListArray.from_arrays(pa.array(random.random(count).astype(np.float32)), 1),
    }
    return parquet_bytes(pa.table(columns))


def answers(light: Sequence[float] | np.ndarray[Any, Any]) -> dict[str, Any]:
    light = np.asarray(light, np.float64)
    said = np.where(light > 0.5, "light", "dark")
    return {
        "answer:predicted": pa.array(said, pa.string()),
        "answer:confidence": np.maximum(light, 1 - light),
        "answer:p:dark": 1 - light,
        "answer:p:light": light,
    }


def seeing(store: Store, rows: pa.Table | None = None) -> Bundle:
    return release(store, signature=PICTURE, reference=reference() if rows is None else parquet_bytes(rows))


def rows(count: int, of: str, seed: int = 0, light: Any = None, **more: Any) -> pa.Table:
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        "request_id": [f"order-{n}" for n in range(count)],
        "id": ["a"] * count,
        "sample": pa.array([0] * count, pa.int32()),
        "time": pa.array([NOW - timedelta(seconds=n) for n in range(count)], pa.timestamp("us", "UTC")),
        "release": [of] * count,
        "arm": ["champion"] * count,
        "error": pa.nulls(count, pa.string()),
        "replica": ["0000000a"] * count,
        "input": [input_hash(str(n).encode(), {}) for n in range(count)],
        **answers(random.random(count) if light is None else light),
        "strangeness": random.exponential(size=count),
        **more,
    }
    return pa.table(columns)


def logged(store: Store, table: pa.Table, number: int = 1) -> None:
    segment = Segment.new(NOW, f"{number:08x}", number, table["release"][0].as_py())
    store.save_file(parquet_bytes(table), *segment.path(MODEL))


def keep_pictures(store: Store, table: pa.Table, every: int = 1) -> set[str]:
    """Of every so manieth row; their request ids."""
    some = table.take(pa.array(range(0, len(table), every)))
    for n, hashed in enumerate(some["input"].to_pylist()):
        save_picture(store, MODEL, NOW, hashed, picture(n % 256))
    return {*some["request_id"].to_pylist()}


def remade(store: Store, bundle: Bundle, **files: bytes) -> Bundle:
    """With other files, by their names before the dot; or more of them."""
    with new_folder(store) as folder:
        for name in bundle.files:
            target = folder / name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(bundle.read(name))
        for name, content in files.items():
            (folder / name.replace("_", ".")).write_bytes(content)
        return save_bundle(folder, {key: value for key, value in bundle.facts.items() if key != "schema"}, store)
