"""Photos listed in a CSV or Parquet table."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from totalml.component import Items, Where
from totalml.data.paths import existing_folder, normal
from totalml.data.sample import BadSample, Sample
from totalml.kinds import Source

if TYPE_CHECKING:
    import pyarrow as pa


class ImageTable(Source):
    """A row per photo; the id of a sample is its file's path below the root.

    In CSV, files, labels and groups are always read as text, so `007` and `NA` stay what they are.
    """

    table: Annotated[str, Field(min_length=1), Where]  # .csv or .parquet
    root: Annotated[str | None, Where] = None  # folder that the files are relative to; None: the table's own
    file_column: str = "file"
    label_column: str = "label"
    group_column: str | None = None
    timestamp_column: str | None = None  # ISO 8601; without a zone it is taken as UTC
    metadata_columns: Items[str] | None = None  # None: all others

    def folder(self) -> Path:
        if self.root is None:
            return Path(self.table).expanduser().absolute().parent
        return existing_folder(self.root, "data.source.root")

    def samples(self) -> Iterator[Sample | BadSample]:
        from totalml.data.table_file import read_table

        text = [name for name in (self.file_column, self.label_column, self.group_column) if name is not None]
        columns = [*text, *([self.timestamp_column] if self.timestamp_column else []), *(self.metadata_columns or ())]
        only = None if self.metadata_columns is None else columns
        table = read_table(Path(self.table).expanduser(), text, self.timestamp_column, columns, only)
        extra = self._metadata_names(table, columns)
        places = _Places(self.folder())
        rows = (row for batch in table.to_batches(max_chunksize=4096) for row in batch.to_pylist())
        for number, row in enumerate(rows, start=1):
            yield self._sample(row, f"row {number}", extra, places)

    def _metadata_names(self, table: pa.Table, used: list[str]) -> list[str]:
        if self.metadata_columns is not None:
            return list(self.metadata_columns)
        return [name for name in table.column_names if name not in used]

    def _sample(self, row: dict[str, Any], place: str, extra: list[str], places: _Places) -> Sample | BadSample:
        file, label = row[self.file_column], row[self.label_column]
        if not file:
            return BadSample(place, f"column {self.file_column!r} is empty")
        name, path, reason = places.find(file)
        if path is None:
            return BadSample(name, reason)
        if not label:
            return BadSample(name, f"column {self.label_column!r} is empty in {place}")
        return Sample(
            id=name,
            image=path,
            label=label,
            group=(row[self.group_column] or None) if self.group_column else None,
            timestamp=row[self.timestamp_column] if self.timestamp_column else None,
            metadata={column: row[column] for column in extra},
        )


class _Places:
    """Turns a table's file names into ids and paths below the root."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._real_root = os.path.realpath(root)
        self._inside: dict[str, bool] = {}  # by folder: whether its real path is below the real root

    def find(self, file: str) -> tuple[str, Path | None, str]:
        """Id, path, and why there is no path."""
        name = posixpath.normpath(file)
        if posixpath.isabs(name):
            name = posixpath.relpath(name, self._root)
        if name == ".." or name.startswith("../"):
            return file, None, f"the file lies outside the root {self._root}"
        path = Path(self._root, name)
        if not os.path.lexists(path):
            return normal(name), None, f"the file is missing: {path}"
        if not self._is_inside(path):
            return normal(name), None, f"a link in its path leaves the root: it leads to {os.path.realpath(path)}"
        return normal(name), path, ""

    def _is_inside(self, path: Path) -> bool:
        if path.is_symlink():
            return self._below(os.path.realpath(path))
        folder = str(path.parent)
        if folder not in self._inside:
            self._inside[folder] = self._below(os.path.realpath(folder))
        return self._inside[folder]

    def _below(self, real: str) -> bool:
        return real == self._real_root or real.startswith(self._real_root.rstrip("/") + "/")
