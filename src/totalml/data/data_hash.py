"""The data hash: one digest over every value of a snapshot.

A Merkle tree over columns: rows are sorted by the bytes of their id, each column is hashed by value (name, type,
which values are missing, then little-endian numbers or length-prefixed UTF-8), and the root is the hash of the
column digests. Parquet bytes never count, because they differ between versions of the library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from totalml.data.texts import taken_of
from totalml.identity import digest, digest_of_pieces

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Pieces = Iterator[bytes | memoryview]

SAMPLE_COLUMNS = ("id", "blob", "size_bytes", "label", "group", "timestamp", "mask")


def data_hash(samples: pa.Table, metadata: pa.Table) -> str:
    """Args:
    samples: with the columns of a snapshot, in any order of rows.
    metadata: the same rows; the order of its columns does not count.
    """
    order = sorted_rows(samples["id"])
    parts = [column_digest(name, samples[name], order) for name in SAMPLE_COLUMNS]
    own = [column_digest(name, metadata[name], order) for name in sorted(metadata.column_names)]
    counts = b"".join(_number(count) for count in (samples.num_rows, len(parts), len(own)))
    return digest("data v1", counts + "".join(parts + own).encode())


def sorted_rows(ids: pa.ChunkedArray) -> pa.Array | None:
    """The order of the ids' UTF-8 bytes; None: they stand in it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # Binary, so that the order is of bytes and of no locale.
    raw = ids.cast(pa.binary())
    if pc.all(pc.less_equal(raw[:-1], raw[1:]), min_count=0).as_py():
        return None
    return pc.sort_indices(raw)


def column_digest(name: str, values: pa.ChunkedArray, order: pa.Array | None = None) -> str:
    """Of a column's values, of a type that a snapshot holds; None: in the order that they have."""
    return digest_of_pieces("data column v1", _pieces(name, values if order is None else taken_of(values, order)))


def _pieces(name: str, values: pa.ChunkedArray) -> Pieces:
    """Name, type, how many, which are missing, then the values with missing ones as zero or empty.

    Of text all lengths, then all bytes: as unambiguous as a length before each, and one operation for many.
    """
    tag, each = _kind(values.type)
    yield from (_text(name), _text(tag), _number(len(values)), _missing(values))
    for give in each:
        for chunk in values.iterchunks():
            if len(chunk):
                yield give(chunk)


def _kind(kind: pa.DataType) -> tuple[str, list[Callable[[pa.Array], bytes | memoryview]]]:
    """The type's tag, and what is taken of each piece of a column, one after the other."""
    import pyarrow as pa

    if pa.types.is_string(kind):
        return "string", [_lengths, _bytes]
    if pa.types.is_boolean(kind):
        return "bool", [lambda values: _numbers(values.cast(pa.int8()), "<i1")]
    if pa.types.is_timestamp(kind):
        return "timestamp us UTC", [lambda values: _numbers(values.cast(pa.timestamp("us", "UTC")), "<i8")]
    if pa.types.is_int64(kind):
        return "int64", [lambda values: _numbers(values, "<i8")]
    if pa.types.is_float64(kind):
        return "float64", [lambda values: _numbers(values, "<f8")]
    raise TypeError(f"a snapshot holds no columns of type {kind}")


def _numbers(values: pa.Array, kind: str) -> memoryview:
    numbers = _buffer(values, kind)
    if values.null_count:
        numbers = numbers.copy()
        numbers[_is_missing(values)] = 0
    return numbers.data.cast("B")


def _lengths(values: pa.Array) -> bytes:
    import numpy as np

    return np.diff(_offsets(_known(values))).astype("<i8").tobytes()


def _bytes(values: pa.Array) -> bytes | memoryview:
    values = _known(values)
    first, last = _offsets(values)[[0, -1]].tolist()
    return memoryview(values.buffers()[2])[first:last] if last > first else b""


def _known(values: pa.Array) -> pa.Array:
    """Texts, empty where missing: what stands there in memory may be anything."""
    import pyarrow.compute as pc

    return pc.if_else(values.is_valid(), values, "") if values.null_count else values


def _offsets(values: pa.Array) -> np.ndarray[Any, np.dtype[np.int32]]:
    import numpy as np

    return np.frombuffer(values.buffers()[1], "<i4", len(values) + 1, values.offset * 4)


def _missing(values: pa.ChunkedArray) -> bytes:
    import numpy as np

    if not values.null_count:
        return bytes((len(values) + 7) // 8)
    return np.packbits(np.concatenate([_is_missing(chunk) for chunk in values.iterchunks()])).tobytes()


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
