"""Labels in a file of a person: CSV, Parquet, or JSON lines; every row that cannot be used is named at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from totalml.data.table_file import read_table
from totalml.errors import DataError
from totalml.evaluation.truth import shown
from totalml.labels.label import ID, REQUEST_ID, SAID, Label, read_labels

if TYPE_CHECKING:
    from totalml.evaluation.truth import Truth

JSON_LINES = (".jsonl", ".ndjson")
TABLES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")

Row = Mapping[str, Any]


def read_file(path: Path, truth: Truth, columns: Mapping[str, str]) -> tuple[list[Label], int]:
    """Its labels, and how many rows have none, because nobody has looked at them yet.

    Args: columns: request_id, id and each column of the truth -> the column of the file.
    Raises: DataError: there is no such table, a column is missing, or rows cannot be used; all of them.
    """
    rows = [_label(row, truth, columns) for row in _rows(path, truth, columns)]
    labels = read_labels(rows, truth, f"{path}, row")
    return labels, len(rows) - len(labels)


def _rows(path: Path, truth: Truth, columns: Mapping[str, str]) -> Iterator[Row]:
    name = path.name.lower()
    if not path.is_file() or not name.endswith((*JSON_LINES, *TABLES)):
        what = f"must end in {', '.join((*TABLES, *JSON_LINES))}" if path.is_file() else "does not exist"
        raise DataError(f"the table {str(path)!r} {what}; give one with the columns {', '.join(columns.values())}")
    if name.endswith(JSON_LINES):
        return _json_lines(path)
    needed = [column for ours, column in columns.items() if ours != ID]
    words = [columns[name] for name, kind in truth.columns.items() if not pa.types.is_floating(kind)]
    text = [columns[REQUEST_ID], columns[ID], *words]
    return iter(read_table(path, text, None, needed, only=[*columns.values()]).to_pylist())


def _json_lines(path: Path) -> Iterator[Row]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(f"line {number} of {path} is no JSON: {error}") from error
            if not isinstance(row, Mapping):
                raise DataError(f"line {number} of {path} is no JSON object: {shown(row)}")
            yield row


def _label(row: Row, truth: Truth, columns: Mapping[str, str]) -> Row | None:
    """As a caller of the service would write it; None: nothing is said."""
    said = {}
    for name in truth.columns:
        if (cell := row.get(columns[name])) is not None:
            said[name] = truth.from_text(name, cell) if isinstance(cell, str) else cell
    if not said:
        return None
    label = said if len(truth.columns) > 1 else next(iter(said.values()))
    return {REQUEST_ID: row.get(columns[REQUEST_ID]), ID: row.get(columns[ID]), SAID: label}
