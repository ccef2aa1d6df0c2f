"""The rows of files, each with the writer (`replica`) and the number of the segment that it was first written in.

By these two a reader knows a row again, wherever it lies by now.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import SEEK_END
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.data.stored_table import stored_table
from totalml.errors import StoreError
from totalml.segments.segment import REWRITTEN, Segment

if TYPE_CHECKING:
    from totalml.store import Store

REPLICA, SEGMENT = "replica", "segment"


def rows_of(store: Store, model: str, segment: Segment, columns: Sequence[str] | None = None) -> pa.Table:
    """Those columns that the file has; all if None.

    Raises: FileGoneError: others have rewritten or removed it. StoreError: it is damaged.
    """
    with stored_table(store, *segment.path(model)) as parquet:
        there = parquet.schema_arrow.names
        chosen = there if columns is None else [name for name in dict.fromkeys(columns) if name in there]
        # A name also brings those that begin with it and a dot.
        table = parquet.read(chosen, use_threads=False).select(chosen)
        count = parquet.metadata.num_rows
    return table if segment.writer == REWRITTEN else _with_origin(table, segment, count, columns)


def columns_of(store: Store, model: str, segment: Segment) -> list[str]:
    """Raises: as of `rows_of`."""
    with stored_table(store, *segment.path(model)) as parquet:
        return list(parquet.schema_arrow.names)


def size_of(store: Store, model: str, segment: Segment) -> tuple[int, int]:
    """Rows and bytes of a file.

    Raises: as of `rows_of`.
    """
    with store.open_file(*segment.path(model)) as file:
        size = file.seek(0, SEEK_END)
    with stored_table(store, *segment.path(model)) as parquet:
        return parquet.metadata.num_rows, size


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """One after the other; a column that some lack is null there.

    Raises: StoreError: values of a column do not fit together.
    """
    if not tables:
        return pa.table({})
    try:
        return pa.concat_tables(_with_plain_lists(tables), promote_options="permissive")
    except pa.ArrowException as error:
        raise StoreError(
            f"columns of different releases in the prediction log do not fit together ({error}); read fewer columns, "
            "or a time in which one release answered"
        ) from error


def _with_origin(table: pa.Table, segment: Segment, count: int, columns: Sequence[str] | None) -> pa.Table:
    origin = {
        REPLICA: pa.array([segment.writer] * count, pa.string()),
        SEGMENT: pa.array(np.full(count, segment.number), pa.int64()),
    }
    arrays = {name: table[name] for name in table.column_names}
    return pa.table(arrays | {name: values for name, values in origin.items() if columns is None or name in columns})


def _with_plain_lists(tables: Sequence[pa.Table]) -> list[pa.Table]:
    """Embeddings of different releases may differ in length, which a type of their own says."""
    types: dict[str, set[pa.DataType]] = {}
    for table in tables:
        for field in table.schema:
            types.setdefault(field.name, set()).add(field.type)
    uneven = {name for name, some in types.items() if len(some) > 1 and any(map(pa.types.is_fixed_size_list, some))}
    return [_cast(table, uneven & {*table.column_names}) for table in tables]


def _cast(table: pa.Table, names: set[str]) -> pa.Table:
    for name in names:
        column = table[name]
        plain = pc.cast(column, pa.list_(column.type.value_type))
        table = table.set_column(table.column_names.index(name), name, plain)
    return table
