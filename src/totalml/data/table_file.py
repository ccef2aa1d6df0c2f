"""Read a CSV or Parquet table into columns that a snapshot can hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.data.paths import meant
from totalml.errors import SnapshotError

if TYPE_CHECKING:
    import pyarrow as pa


def read_table(
    path: Path,
    text: Sequence[str],
    timestamp: str | None,
    needed: Sequence[str],
    only: Sequence[str] | None = None,
) -> pa.Table:
    """The table, its columns of text, int64, float64, bool or UTC timestamps.

    Args:
        text: columns to read as text whatever they look like.
        timestamp: column to read as a time.
        needed: columns that must be there.
        only: columns to keep; None: all.
    Raises: SnapshotError: no such file, not a table, a column missing or of a type that no snapshot holds.
    """
    if not path.is_file():
        raise SnapshotError(
            f"the table {str(path)!r} of data.source.table does not exist (seen from {Path.cwd()}). "
            "Set it in the recipe or on the command line: data.source.table=/path/to/table.csv"
        )
    table = _read(path, text)
    _check_names(path, table, needed)
    if only is not None:
        table = table.select(list(dict.fromkeys(only)))
    return _plain(path, table, text, timestamp)


def _read(path: Path, text: Sequence[str]) -> pa.Table:
    import pyarrow as pa

    readers = {".csv": _read_csv, ".parquet": _read_parquet}
    if path.suffix.lower() not in readers:
        raise SnapshotError(f"data.source.table {str(path)!r} must end in .csv or .parquet")
    try:
        return readers[path.suffix.lower()](path, text)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise SnapshotError(f"the table {path} cannot be read: {error}") from error


def _read_csv(path: Path, text: Sequence[str]) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    with path.open("rb") as file:
        return csv.read_csv(
            file,
            parse_options=csv.ParseOptions(newlines_in_values=True),
            # Text is never null here: 'NA' and 'null' are labels like any other.
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(text, pa.string()), strings_can_be_null=False
            ),
        )


def _read_parquet(path: Path, text: Sequence[str]) -> pa.Table:
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        return pq.ParquetFile(file).read()


def _check_names(path: Path, table: pa.Table, needed: Sequence[str]) -> None:
    names = table.column_names
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise SnapshotError(f"the table {path} has several columns named {double}")
    for name in needed:
        if name not in names:
            raise SnapshotError(f"the table {path} has no column {name!r}{meant(name, names)}; it has {names}")


def _plain(path: Path, table: pa.Table, text: Sequence[str], timestamp: str | None) -> pa.Table:
    import pyarrow as pa

    for number, field in enumerate(table.schema):
        wanted = _wanted(field, text, timestamp)
        if wanted is None:
            raise SnapshotError(
                f"column {field.name!r} of {path} holds {field.type}, which no snapshot can hold; "
                "leave it out with data.source.metadata_columns"
            )
        try:
            column = _cast(table.column(number), wanted)
        except pa.ArrowException as error:
            raise SnapshotError(f"column {field.name!r} of {path} cannot be read as {wanted}: {error}") from error
        table = table.set_column(number, field.name, column)
    return table


def _wanted(field: pa.Field, text: Sequence[str], timestamp: str | None) -> pa.DataType | None:
    """The type that a snapshot keeps a column in."""
    import pyarrow as pa

    kind, types = field.type.value_type if pa.types.is_dictionary(field.type) else field.type, pa.types
    if field.name in text or types.is_string(kind) or types.is_large_string(kind) or types.is_time(kind):
        return pa.timestamp("us", "UTC") if field.name == timestamp else pa.string()
    if types.is_timestamp(kind) or types.is_date(kind):
        return pa.timestamp("us", "UTC")
    if types.is_boolean(kind):
        return pa.bool_()
    if types.is_integer(kind):
        return pa.int64()
    if types.is_floating(kind) or types.is_decimal(kind):
        return pa.float64()
    return pa.string() if types.is_null(kind) else None


def _cast(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_date(column.type) and pa.types.is_timestamp(wanted):
        column = column.cast(pa.timestamp("us"))
    column = column.cast(wanted, safe=not pa.types.is_timestamp(wanted))
    # An empty cell of a CSV is a missing value.
    return pc.if_else(pc.equal(column, ""), None, column) if pa.types.is_string(wanted) else column
