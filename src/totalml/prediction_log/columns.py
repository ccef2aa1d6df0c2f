"""Columns of the log that say of which request a row is and how that ended; every release has them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

COLUMNS = {
    "request_id": pa.string(),
    "id": pa.string(),
    "sample": pa.int32(),
    "time": pa.timestamp("us", "UTC"),
    "release": pa.string(),
    "arm": pa.string(),
    "share": pa.float64(),
    "error": pa.string(),
    "replica": pa.string(),
    "input": pa.string(),
    "seconds": pa.float32(),
}
IN_ORDER = tuple((name, "ascending") for name in ("time", "request_id", "sample"))  # to sort by, as rows came


def typed(rows: pa.Table) -> pa.Table:
    """Also where there are none, or none of a version that wrote them."""
    for place, name in enumerate(rows.column_names):
        if name in COLUMNS:
            rows = rows.set_column(place, name, rows[name].cast(COLUMNS[name]))
    return rows


def sample_keys(rows: pa.Table) -> pa.ChunkedArray:
    """A text for each sample; no request id holds a zero byte."""
    return pc.binary_join_element_wise(rows["request_id"], rows["sample"].cast(pa.string()), "\0")
