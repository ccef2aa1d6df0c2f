"""Read a CSV or Parquet table into columns that a snapshot can hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.data.csv_file import header_of, read_csv
from totalml.data.list_column import as_text, is_list_of_text
from totalml.data.paths import meant, normal
from totalml.data.times import Unit, as_times
from totalml.errors import SnapshotError

if TYPE_CHECKING:
    import pyarrow as pa


def read_table(
    path: Path,
    text: Sequence[str],
    timestamp: str | None,
    needed: Sequence[str],
    only: Sequence[str] | None = None,
    unit: Unit | None = None,
) -> pa.Table:
    """The table, its columns of text, int64, float64, bool or UTC timestamps; names in one Unicode form.

    Args:
        text: columns to read as text whatever they look like.
        timestamp: column to read as a time.
        needed: columns that must be there.
        only: columns to keep; None: all.
        unit: what the timestamp column counts since 1970, where it holds numbers.
    Raises: SnapshotError: no such file, not a table, no rows, a column missing or of a type that no snapshot holds.
    """
    table = _read(path, text, needed, timestamp)
    table = table.rename_columns([normal(name) for name in table.column_names])
    _check_names(path, table, needed)
    if not table.num_rows:
        raise SnapshotError(f"the table {path} has a header ({', '.join(table.column_names)}) but no rows below it")
    if only is not None:
        table = table.select([name for name in dict.fromkeys(only) if name in table.column_names])
    return _plain(path, table, text, timestamp, unit)


def column_names(path: Path, needed: Sequence[str]) -> list[str]:
    """In one Unicode form, by its header alone.

    Args: needed: columns that tell which separator is meant.
    Raises: SnapshotError: it is no table.
    """
    import pyarrow as pa

    _check_path(path)
    try:
        if path.suffix.lower() != ".parquet":
            return [normal(name) for name in header_of(path, needed)]
        import pyarrow.parquet as pq

        return [normal(name) for name in pq.read_schema(path).names]
    except (pa.ArrowException, OSError) as error:
        raise SnapshotError(f"the table {path} cannot be read: {error}") from error


def _read(path: Path, text: Sequence[str], needed: Sequence[str], timestamp: str | None) -> pa.Table:
    import pyarrow as pa

    _check_path(path)
    try:
        return _read_parquet(path) if path.suffix.lower() == ".parquet" else read_csv(path, text, needed, timestamp)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise SnapshotError(f"the table {path} cannot be read: {error}") from error


def _check_path(path: Path) -> None:
    if path.is_dir():
        raise SnapshotError(
            f"data.source.table {str(path)!r} is a folder{_parts(path)}; data.source.table names one file, "
            "and data.source.root the folder that its files are relative to"
        )
    if not path.is_file():
        raise SnapshotError(
            f"the table {str(path)!r} of data.source.table does not exist (seen from {Path.cwd()}). "
            "Set it in the recipe or on the command line: data.source.table=/path/to/table.csv"
        )
    if not path.name.lower().endswith((".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")):
        mend = "save the sheet as 'CSV UTF-8'" if path.suffix.lower().startswith((".xls", ".od")) else "convert it"
        raise SnapshotError(
            f"data.source.table {str(path)!r} must end in .csv, .tsv (also packed: .csv.gz) or .parquet; {mend}"
        )


def _parts(folder: Path) -> str:
    count = len([*folder.glob("*.parquet"), *folder.glob("*/*.parquet")])
    join = f"pyarrow.parquet.write_table(pyarrow.parquet.read_table({str(folder)!r}), 'table.parquet')"
    return f" of {count} Parquet files; join them once, in Python: {join}" if count else ""


def _read_parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        return pq.ParquetFile(file).read()


def _check_names(path: Path, table: pa.Table, needed: Sequence[str]) -> None:
    names = table.column_names
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise SnapshotError(f"the table {path} has several columns named {double}; rename or remove all but one")
    if missing := [f"no column {name!r}{meant(name, names)}" for name in needed if name not in names]:
        raise SnapshotError(f"the table {path} has {', '.join(missing)}; it has {names}")


def _plain(path: Path, table: pa.Table, text: Sequence[str], timestamp: str | None, unit: Unit | None) -> pa.Table:
    import pyarrow as pa

    for number, field in enumerate(table.schema):
        column = table.column(number)
        if pa.types.is_dictionary(field.type):
            column = column.cast(field.type.value_type)
        if is_list_of_text(column):
            table = table.set_column(number, field.name, as_text(path, field.name, column))
            continue
        kind = _kind(column, field.name in text)
        if kind is None:
            raise SnapshotError(
                f"column {field.name!r} of {path} holds {field.type}, which no snapshot can hold; "
                "leave it out with data.source.metadata_columns"
            )
        is_time = field.name == timestamp or pa.types.is_timestamp(kind)
        try:
            column = as_times(column, unit if field.name == timestamp else None) if is_time else _cast(column, kind)
        except (pa.ArrowException, ValueError) as error:
            wanted = "timestamp" if is_time else kind
            raise SnapshotError(f"column {field.name!r} of {path} cannot be read as {wanted}: {error}") from error
        table = table.set_column(number, field.name, column)
    return table


def _kind(column: pa.ChunkedArray, is_text: bool) -> pa.DataType | None:
    """The type that a snapshot keeps a column in."""
    import pyarrow as pa

    kind, types = column.type, pa.types
    text = (types.is_string, types.is_large_string, types.is_string_view, types.is_time, types.is_null)
    if is_text or any(holds(kind) for holds in text):
        return pa.string()
    if types.is_timestamp(kind) or types.is_date(kind):
        return pa.timestamp("us", "UTC")
    if types.is_boolean(kind):
        return pa.bool_()
    if types.is_integer(kind):
        return pa.int64() if kind != pa.uint64() or _fits(column, 2**63) else pa.string()
    if types.is_decimal(kind):
        return pa.float64() if kind.scale > 0 or _fits(column, 2**53) else pa.string()
    return pa.float64() if types.is_floating(kind) else None


def _fits(column: pa.ChunkedArray, limit: int) -> bool:
    """Whether all whole numbers are below the limit; an identifier of twenty digits is not."""
    import pyarrow.compute as pc

    bounds = pc.min_max(column).as_py()
    return bounds["min"] is None or -limit < bounds["min"] <= bounds["max"] < limit


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(kind) and pa.types.is_floating(column.type):  # a missing label of pandas is NaN
        column = pc.if_else(pc.is_nan(column), None, column)
    column = column.cast(kind)
    if not pa.types.is_string(kind) or not pc.any(empty := pc.equal(column, "")).as_py():
        return column
    return pc.if_else(empty, None, column)  # an empty cell of a CSV is a missing value
