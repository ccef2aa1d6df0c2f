"""Columns of text: in one Unicode form, for which only letters that are not ASCII need Python; and in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from totalml.data.paths import normal

if TYPE_CHECKING:
    import pyarrow as pa

MOST_BYTES = 2**31 - 1  # of text, that Arrow puts into one piece
AT_ONCE = 2**16  # rows of such a column


def normalised(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Each text as `normal` gives it."""
    return where_unusual(values, normal)


def where_unusual(values: pa.ChunkedArray, change: Callable[[str], str]) -> pa.ChunkedArray:
    """The texts, those that are not ASCII changed."""
    import pyarrow as pa

    return pa.chunked_array([_changed(chunk, change) for chunk in values.iterchunks()], pa.string())


def _changed(values: pa.Array, change: Callable[[str], str]) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    unusual = pc.coalesce(pc.invert(pc.string_is_ascii(values)), False)
    if not pc.any(unusual).as_py():
        return values
    changed = [change(text) for text in values.filter(unusual).to_pylist()]
    return pc.replace_with_mask(values, unusual, pa.array(changed, pa.string()))


def taken(table: pa.Table, rows: pa.Array) -> pa.Table:
    """Those rows, also of columns with more text than Arrow puts into one piece."""
    return table.from_arrays([taken_of(column, rows) for column in table.columns], schema=table.schema)


def taken_of(values: pa.ChunkedArray, rows: pa.Array) -> pa.ChunkedArray:
    """The same of one column."""
    import pyarrow as pa

    if not pa.types.is_string(values.type) or values.nbytes <= MOST_BYTES:
        return values.take(rows)
    whole = values.cast(pa.large_string()).combine_chunks()
    starts = range(0, len(rows), AT_ONCE)
    return pa.chunked_array([whole.take(rows.slice(start, AT_ONCE)).cast(pa.string()) for start in starts])
