"""Columns of text in one Unicode form; only letters that are not ASCII need Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from totalml.data.paths import normal

if TYPE_CHECKING:
    import pyarrow as pa


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
