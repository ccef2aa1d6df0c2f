"""What a person hands to a model: pictures in any of the usual forms, rows of a table likewise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.data.paths import is_ignored, normal
from totalml.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    from PIL.Image import Image

ID = "id"  # the column of a table that names its rows
PICTURES = "a path, a folder, an image of Pillow, or a list of them"
ROWS = "an Arrow table, a data frame of pandas, a list of dictionaries, or a dictionary of columns"


def given_pictures(given: Any) -> tuple[list[str], list[Path | Image]]:
    """Names and pictures; those of a folder, which may hold others, by their path below it.

    Raises: DataError: it is nothing of the kind, a file is not there, or a folder holds no files.
    """
    named = [*_pictures(given)]
    if not named:
        raise DataError(f"there are no pictures to predict in {given!r}; give {PICTURES}")
    return [name for name, _ in named], [picture for _, picture in named]


def given_rows(given: Any) -> tuple[list[str], pa.Table]:
    """Names and rows; the names are those of a column `id` if there is one.

    Raises: DataError: it is nothing of the kind, or has no rows.
    """
    table = _table(given)
    if not len(table):
        raise DataError("the table has no rows to predict")
    if ID in table.column_names:
        return [str(value) for value in table[ID].to_pylist()], table
    return [f"row {number}" for number in range(1, len(table) + 1)], table


def _pictures(given: Any) -> Iterator[tuple[str, Path | Image]]:
    from PIL.Image import Image

    several = given if isinstance(given, Iterable) and not isinstance(given, str | bytes | Path | Image) else [given]
    for number, one in enumerate(several, start=1):
        if isinstance(one, Image):
            yield str(getattr(one, "filename", "") or f"picture {number}"), one
        elif isinstance(one, str | Path):
            yield from _files(Path(one).expanduser())
        else:
            raise DataError(f"expected {PICTURES}; got {type(one).__name__}")


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    if not path.exists():
        raise DataError(f"there is no picture or folder {str(path)!r} (seen from {Path.cwd()})")
    if not path.is_dir():
        yield str(path), path
        return
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path)
        if file.is_file() and not any(map(is_ignored, name.parts)):
            yield normal(name.as_posix()), file


def _table(given: Any) -> pa.Table:
    import pyarrow as pa

    try:
        if isinstance(given, pa.Table):
            table = given
        elif hasattr(given, "__dataframe__") or hasattr(given, "__arrow_c_stream__"):
            table = pa.table(given)
        elif isinstance(given, Mapping):
            table = pa.table(dict(given))
        elif isinstance(given, Sequence) and all(isinstance(row, Mapping) for row in given):
            table = pa.Table.from_pylist([dict(row) for row in given])
        else:
            raise DataError(f"expected {ROWS}; got {type(given).__name__}")
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(f"the rows are no table: {error}; give {ROWS}") from error
    return _without_dictionaries(table)


def _without_dictionaries(table: pa.Table) -> pa.Table:
    """Categories of pandas as the values that they stand for."""
    import pyarrow as pa

    for number, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(number, field.name, table.column(number).cast(field.type.value_type))
    return table
