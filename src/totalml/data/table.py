"""Samples listed in a CSV or Parquet table, with photos or without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from totalml.component import Items, Where
from totalml.data.listed_files import ListedFiles
from totalml.data.paths import existing_folder, normal
from totalml.data.sample import BadSample, Sample
from totalml.data.sample_batch import BATCH_ROWS, SampleBatch
from totalml.data.times import Unit
from totalml.kinds import Source

if TYPE_CHECKING:
    import pyarrow as pa

Column = Annotated[str, AfterValidator(normal)]
LABEL = "label"
ROW_DIGITS = 9  # of the number that names a row, so that text sorts like numbers


class ImageTable(Source):
    """A row per sample, with a photo or without; the id of a photo is its file's path below the root.

    In CSV, files, labels and groups are always read as text, so `007` and `NA` stay what they are; so is any other
    column with leading zeros or with more digits than a number holds.
    """

    table: Annotated[str, Field(min_length=1), Where]  # .csv, .tsv, packed by gzip or not, or .parquet
    root: Annotated[str | None, Where] = None  # folder that the files are relative to; None: the table's own
    file_column: Column | None = "file"  # None: rows without pictures
    id_column: Column | None = None  # None: the file; without files the number of the row
    label_column: Column | None = None  # None: `label`, where there is one
    group_column: Column | None = None
    timestamp_column: Column | None = None  # ISO 8601 or as EXIF has it; without a zone it is taken as UTC
    timestamp_unit: Unit | None = None  # what numbers in it count since 1970, UTC
    metadata_columns: Items[Column] | None = None  # None: all others

    def folder(self) -> Path:
        if self.root is None:
            return Path(self.table).expanduser().absolute().parent
        return existing_folder(self.root, "data.source.root")

    def samples(self) -> Iterator[Sample | BadSample]:
        if (batches := self.batches()) is not None:
            for batch in batches:
                yield from batch.bad
                yield from batch.rows()
            return
        table, label, extra = self._read()
        files = ListedFiles(self.folder())
        rows = (row for batch in table.to_batches(max_chunksize=4096) for row in batch.to_pylist())
        for number, row in enumerate(rows, start=1):
            yield self._photo(row, f"row {number}", label, extra, files)

    def batches(self) -> Iterator[SampleBatch] | None:
        return self._batches() if self.file_column is None else None

    def _batches(self) -> Iterator[SampleBatch]:
        table, label, extra = self._read()
        for done in range(0, len(table), BATCH_ROWS):
            yield self._batch(table.slice(done, BATCH_ROWS), done, label, extra)

    def _read(self) -> tuple[pa.Table, str | None, list[str]]:
        """The table, its column of labels, and those of metadata."""
        from totalml.data.table_file import read_table

        named = (self.file_column, self.id_column, self.label_column, self.group_column)
        text = [name for name in named if name is not None]
        asked = [*text, *([] if self.label_column else [LABEL])]
        columns = [*text, *([self.timestamp_column] if self.timestamp_column else []), *(self.metadata_columns or ())]
        only = None if self.metadata_columns is None else [*columns, *([] if self.label_column else [LABEL])]
        path = Path(self.table).expanduser()
        table = read_table(path, asked, self.timestamp_column, columns, only, self.timestamp_unit)
        label = self.label_column or (LABEL if LABEL in table.column_names else None)
        return table, label, self._metadata_names(table, [*columns, *([label] if label else [])])

    def _metadata_names(self, table: pa.Table, used: list[str]) -> list[str]:
        if self.metadata_columns is not None:
            return list(self.metadata_columns)
        return [name for name in table.column_names if name not in used]

    def _batch(self, table: pa.Table, done: int, label: str | None, extra: list[str]) -> SampleBatch:
        """Rows without photos. Args: done: rows before them."""
        import pyarrow as pa
        import pyarrow.compute as pc

        numbers = pa.array(range(done + 1, done + len(table) + 1)).cast(pa.string())
        missing = pa.nulls(len(table), pa.string())
        when = self.timestamp_column
        samples = {
            "id": table[self.id_column] if self.id_column else pc.utf8_lpad(numbers, ROW_DIGITS, "0"),
            "label": table[label] if label else missing,
            "group": table[self.group_column] if self.group_column else missing,
            "timestamp": table[when] if when else missing.cast(pa.timestamp("us", "UTC")),
        }
        batch = SampleBatch(pa.table(samples), table.select([*dict.fromkeys(extra)]))
        needed = {name: batch.samples[name] for name, column in (("id", self.id_column), ("label", label)) if column}
        if not any(values.null_count for values in needed.values()):
            return batch
        good = [None not in row for row in zip(*(values.to_pylist() for values in needed.values()), strict=True)]
        bad = [self._lacking(batch, place, label, done) for place, whole in enumerate(good) if not whole]
        return replace(batch.filter(pa.array(good)), bad=bad)

    def _lacking(self, batch: SampleBatch, place: int, label: str | None, done: int) -> BadSample:
        row, name = f"row {done + place + 1}", batch.samples["id"][place].as_py()
        if name is None:
            return BadSample(row, f"column {self.id_column!r} is empty")
        return BadSample(name, f"column {label!r} is empty in {row}")

    def _photo(
        self, row: dict[str, Any], place: str, label_column: str | None, extra: list[str], files: ListedFiles
    ) -> Sample | BadSample:
        label = row[label_column] if label_column else None
        if not (file := row[self.file_column or ""]):
            return BadSample(place, f"column {self.file_column!r} is empty")
        name, path, reason = files.find(file)
        if path is None:
            return BadSample(name, reason)
        if self.id_column is not None and not (name := row[self.id_column]):
            return BadSample(place, f"column {self.id_column!r} is empty")
        if label_column and not label:
            return BadSample(name, f"column {label_column!r} is empty in {place}")
        return Sample(
            id=name,
            image=path,
            label=label,
            group=(row[self.group_column] or None) if self.group_column else None,
            timestamp=row[self.timestamp_column] if self.timestamp_column else None,
            metadata={column: row[column] for column in extra},
        )
