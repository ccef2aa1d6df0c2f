"""Number the entities of a table, and find those of another table among them.

By sorted hashes rather than by a hash table, so that the same index can be mapped from a file by many processes. A hash
only says where to look: what is found there is compared, so entities that share one stay apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import FeatureError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_BASE, _FIRST, _SECOND = (np.uint64(each) for each in (0x100000001B3, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


class Entities:
    """Entities that differ, numbered in the order of their hashes.

    Args:
        names: of the columns whose values together name an entity; none: all rows are of one.
        columns: (E,) each, as `entity_column` gives them.
        hashes: (E,) of `hashed`, never falling.
    """

    def __init__(self, names: Sequence[str], columns: Sequence[pa.Array], hashes: NDArray[np.uint64]) -> None:
        self.names, self.columns, self.hashes = tuple(names), list(columns), hashes

    @classmethod
    def of(cls, rows: pa.Table, names: Sequence[str]) -> Entities:
        """All that the table names; rows with a null, or NaN, in one of the columns name none.

        Raises: FeatureError: as `entity_column`.
        """
        import pyarrow as pa

        columns = [entity_column(rows[name], name) for name in names]
        firsts = pa.array(_firsts(columns, len(rows)))
        columns = [column.take(firsts) for column in columns]
        hashes = hashed(columns, len(firsts))
        order = np.argsort(hashes, kind="stable")
        return cls(names, [column.take(pa.array(order)) for column in columns], hashes[order])

    def __len__(self) -> int:
        return len(self.hashes)

    def numbers(self, rows: pa.Table | pa.RecordBatch) -> NDArray[np.int64]:
        """(N,) in [0, E): the entity of each row; -1: a null in it, or none of these.

        Raises: FeatureError: a value that the column's type here cannot hold.
        """
        columns = [
            entity_column(rows[name], name, column.type) for name, column in zip(self.names, self.columns, strict=True)
        ]
        found = np.full(len(rows), -1, np.int64)
        wanted = hashed(columns, len(rows))
        places = np.searchsorted(self.hashes, wanted)
        left = np.flatnonzero(_named(columns, len(rows)))
        while len(left):
            left = left[places[left] < len(self)]
            left = left[self.hashes[places[left]] == wanted[left]]
            same = self._equal(columns, left, places[left])
            found[left[same]] = places[left[same]]
            left = left[~same]
            places[left] += 1
        return found

    def _equal(
        self, columns: Sequence[pa.Array], rows: NDArray[np.int64], places: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        import pyarrow as pa
        import pyarrow.compute as pc

        equal = np.ones(len(rows), np.bool_)
        for column, known in zip(columns, self.columns, strict=True):
            both = pc.equal(column.take(pa.array(rows)), known.take(pa.array(places)))
            equal &= both.to_numpy(zero_copy_only=False).astype(np.bool_)
        return equal


def entity_kind(kind: pa.DataType) -> str | None:
    """`text`, `numbers`, or None: no entity can be named by it."""
    import pyarrow.types as types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    return "numbers" if types.is_integer(kind) or types.is_floating(kind) else None


def entity_column(column: pa.Array | pa.ChunkedArray, name: str, wanted: pa.DataType | None = None) -> pa.Array:
    """The same values in the one type that text, whole numbers and other numbers each have here; NaN as null.

    Args:
        column: text or numbers.
        wanted: a type that this function gave to another column; None: what fits these values.
    Raises: FeatureError: a value does not fit it.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        # Before the cast: whole numbers of which some are missing are often held so.
        column = column.cast(pa.float64())
        column = pc.add(pc.if_else(pc.is_nan(column), None, column), 0.0)  # which makes 0.0 of -0.0
    try:
        column = column.cast(wanted or _widest(column.type))
    except pa.ArrowInvalid as error:
        raise FeatureError(
            f"entity column {name!r} holds a {column.type} that is no {wanted}, as which the other table has it: "
            f"{error}. Write it as text in both tables."
        ) from error
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _widest(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if entity_kind(kind) == "text":
        return pa.large_string()
    if pa.types.is_floating(kind):
        return pa.float64()
    return pa.uint64() if pa.types.is_uint64(kind) else pa.int64()


def hashed(columns: Sequence[pa.Array], count: int) -> NDArray[np.uint64]:
    """(count,) a number for each row, the same on every machine; of a row with a null, any."""
    import pyarrow as pa

    hashes = np.zeros(count, np.uint64)
    for column in columns:
        if pa.types.is_large_string(column.type):
            texts = column.dictionary_encode(null_encoding="encode")
            words = _text_words(texts.dictionary)[texts.indices.to_numpy()]
        else:
            words = column.fill_null(0).to_numpy().view(np.uint64)
        hashes = _mixed(hashes * _BASE + words)
    return hashes


def _text_words(column: pa.Array) -> NDArray[np.uint64]:
    """A polynomial of each row's bytes, modulo 2^64; all rows at once as differences of one running sum."""
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    starts, lengths = bounds[:-1], np.diff(bounds)
    held = np.frombuffer(data or b"", np.uint8)[bounds[0] : bounds[-1]]
    powers = np.multiply.accumulate(np.full(lengths.max(initial=0) + 1, _BASE))
    within = np.arange(len(held)) - np.repeat(starts - bounds[0], lengths)
    sums = np.zeros(len(held) + 1, np.uint64)
    np.cumsum((held.astype(np.uint64) + 1) * powers[within], out=sums[1:])
    return sums[bounds[1:] - bounds[0]] - sums[starts - bounds[0]]


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Source: Steele et al. 2014, SplitMix64's finaliser."""
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    return words ^ (words >> np.uint64(31))


def _named(columns: Sequence[pa.Array], count: int) -> NDArray[np.bool_]:
    named = np.ones(count, np.bool_)
    for column in columns:
        if column.null_count:
            named &= column.is_valid().to_numpy(zero_copy_only=False)
    return named


def _firsts(columns: Sequence[pa.Array], count: int) -> NDArray[np.int64]:
    """The first row of each entity."""
    import pyarrow as pa

    rows = np.flatnonzero(_named(columns, count))
    if not columns:
        return rows[:1]
    names = [str(position) for position in range(len(columns))]
    table = pa.table([*columns, pa.array(np.arange(count))], names=[*names, "row"]).take(pa.array(rows))
    return np.sort(table.group_by(names).aggregate([("row", "min")])["row_min"].to_numpy())
