"""The data hash: one digest over every value of a snapshot.

A Merkle tree over columns: rows are sorted by the bytes of their id, each column is hashed by value (name, type,
which values are missing, then little-endian numbers or length-prefixed UTF-8), and the root is the hash of the
column digests. Parquet bytes never count, because they differ between versions of the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from totalml.identity import digest

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SAMPLE_COLUMNS = ("id", "blob", "size_bytes", "label", "group", "timestamp", "mask")


def data_hash(samples: pa.Table, metadata: pa.Table) -> str:
    """Args:
    samples: with the columns of a snapshot, in any order of rows.
    metadata: the same rows; the order of its columns does not count.
    """
    order = _sorted_rows(samples["id"])
    parts = [_column(name, samples[name], order) for name in SAMPLE_COLUMNS]
    own = [_column(name, metadata[name], order) for name in sorted(metadata.column_names)]
    counts = b"".join(_number(count) for count in (samples.num_rows, len(parts), len(own)))
    return digest("data v1", counts + "".join(parts + own).encode())


def _sorted_rows(ids: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    # Binary, so that the order is that of the UTF-8 bytes and of no locale.
    return pc.sort_indices(ids.cast(pa.binary()))


def _column(name: str, values: pa.ChunkedArray, order: pa.Array) -> str:
    values = values.take(order).combine_chunks()
    tag, payload = _by_value(values)
    return digest("data column v1", _text(name) + _text(tag) + _number(len(values)) + _missing(values) + payload)


def _by_value(values: pa.Array) -> tuple[str, bytes]:
    """The type's tag, and the values with missing ones as zero or empty."""
    import pyarrow as pa

    kind = values.type
    if pa.types.is_string(kind):
        return "string", _strings(values)
    if pa.types.is_boolean(kind):
        return "bool", _numbers(values.cast(pa.int8()), "<i1")
    if pa.types.is_timestamp(kind):
        return "timestamp us UTC", _numbers(values.cast(pa.timestamp("us", "UTC")), "<i8")
    if pa.types.is_int64(kind):
        return "int64", _numbers(values, "<i8")
    if pa.types.is_float64(kind):
        return "float64", _numbers(values, "<f8")
    raise TypeError(f"a snapshot holds no columns of type {kind}")


def _numbers(values: pa.Array, kind: str) -> bytes:
    numbers = _buffer(values, kind).copy()
    numbers[_is_missing(values)] = 0
    return numbers.tobytes()


def _strings(values: pa.Array) -> bytes:
    """All lengths, then all bytes: as unambiguous as a length before each, and one operation for the column."""
    import numpy as np
    import pyarrow as pa

    texts = [text or b"" for text in values.cast(pa.binary()).to_pylist()]
    return np.array([len(text) for text in texts], "<i8").tobytes() + b"".join(texts)


def _missing(values: pa.Array) -> bytes:
    import numpy as np

    return np.packbits(_is_missing(values)).tobytes()


def _is_missing(values: pa.Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    import pyarrow as pa

    return _buffer(values.is_null().cast(pa.int8()), "<i1").astype(bool)


def _buffer(values: pa.Array, kind: str) -> np.ndarray[Any, Any]:
    """Arrow's own memory: its fill_null and to_numpy import pandas where that is installed, which takes 0.2 s."""
    import numpy as np

    if not len(values):
        return np.empty(0, kind)
    return np.frombuffer(values.buffers()[1], kind, len(values), values.offset * np.dtype(kind).itemsize)


def _text(text: str) -> bytes:
    raw = text.encode()
    return _number(len(raw)) + raw


def _number(value: int) -> bytes:
    return value.to_bytes(8, "little")
