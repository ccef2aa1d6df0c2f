"""A table as chunks: the columns of the signature, with a picture in each row or without.

Those of shared features that the table lacks are made of all of its rows at once, as one goes into another's numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from totalml.data.table import ROW_DIGITS
from totalml.errors import DataError
from totalml.features.shared.past import TIMESTAMP
from totalml.prediction.chunk import CHUNK, ROWS, Chunk, Picture
from totalml.prediction.columns import Errors, as_moments, as_numbers, as_text, as_words
from totalml.prediction.made import made_of
from totalml.prediction.table_batches import Batches, csv_batches, parquet_batches
from totalml.release.signature import NUMBER
from totalml.target import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.prediction.folders import Folder
    from totalml.release.scorer import Scorer

FILE, ID = "file", "id"
TABLES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")


def is_table(name: str) -> bool:
    return name.lower().endswith(TABLES)


class Rows:
    """A sample is named by the column `id`, else by its file, else by the number of its row.

    Args:
        name: of the table in its folder, which files are relative to.
        what: as a person calls it.
    Raises: DataError: columns are missing; all of them are named.
    """

    def __init__(self, folder: Folder, name: str, what: str, scorer: Scorer) -> None:
        self.folder = folder
        self._name, self._what, self._signature = name, what, scorer.signature
        self.at_once = CHUNK if scorer.signature.picture else ROWS
        self._needed = [*([FILE] if self._signature.picture else []), *self._signature.columns]
        with self._batches() as batches:
            names = {*batches.names}
        self._makers = [each for each in scorer.makers if not {*each.frozen.columns} & names]
        self._made_here = made = tuple(name for each in self._makers for name in each.frozen.columns)
        self._made_of = tuple(dict.fromkeys(name for each in self._makers for name in each.frozen.needs))
        self._needed = [*dict.fromkeys((*(name for name in self._needed if name not in made), *self._made_of))]
        self._refuse_missing(batches.names)

    def chunks(self) -> Iterator[Chunk]:
        done = 0
        with self._batches() as batches:
            for batch in batches.read([*dict.fromkeys((ID, *self._needed, *self._signature.context))]):
                yield self._chunk(batch, done, batches.decimal_comma)
                done += len(batch)

    @cached_property
    def _made(self) -> tuple[pa.Table, Errors]:
        """Of all rows, as `made_of`."""
        import pyarrow as pa

        with self._batches() as batches:
            parts = [
                # What is wrong with a row is told when its chunk comes.
                self._read(batch, self._made_of, batches.decimal_comma, defaultdict(list))
                for batch in batches.read(self._made_of)
            ]
        return made_of(pa.concat_tables(parts), self._makers)

    @contextmanager
    def _batches(self) -> Iterator[Batches]:
        is_parquet = self._name.lower().endswith(".parquet")
        with (
            self.folder.opened(self._name) as file,
            parquet_batches(file, self._what, self.at_once)
            if is_parquet
            else csv_batches(file, self._what, self.at_once, self._needed) as found,
        ):
            yield found

    def _refuse_missing(self, names: list[str]) -> None:
        missing = [name for name in self._needed if name not in names]
        if missing:
            hint = did_you_mean(missing[0], names) if len(missing) == 1 else ""
            when = f" Call {TIMESTAMP} the column that says when each row was." if TIMESTAMP in missing else ""
            raise DataError(
                f"the table {self._what} lacks {', '.join(missing)}, which the model sees{hint or '.'} "
                f"It has: {', '.join(names)}.{when}"
            )

    def _chunk(self, batch: pa.Table, done: int, decimal_comma: bool) -> Chunk:
        errors: Errors = defaultdict(list)
        pictures = self._pictures(batch, errors) if self._signature.picture else None
        rows = self._columns(batch, done, decimal_comma, errors)
        names = [*map(f"%0{ROW_DIGITS}d".__mod__, range(done + 1, done + len(batch) + 1))]  # the quickest way
        if pictures is not None:
            names = [picture.id or name for picture, name in zip(pictures, names, strict=True)]
        if ID in batch.column_names:
            names = [given or name for given, name in zip(as_text(batch[ID]), names, strict=True)]
        reasons: list[str | None] = [None] * len(batch)
        for place, wrong in errors.items():
            reasons[place] = "; ".join(wrong)
        return Chunk(names, pictures, rows, reasons, self._made_here)

    def _pictures(self, batch: pa.Table, errors: Errors) -> list[Picture]:
        found = []
        for place, file in enumerate(as_text(batch[FILE])):
            picture = self.folder.find(file) if file else Picture("", "", error=f"column {FILE!r} is empty")
            if picture.error:
                errors[place].append(picture.error)
            found.append(picture)
        return found

    def _columns(self, batch: pa.Table, done: int, decimal_comma: bool, errors: Errors) -> pa.Table | None:
        """As the service gives them to the model, and what is only kept."""
        names = [name for name in self._signature.takes if name in batch.column_names]
        if not names and not self._makers:
            return None
        rows = self._read(batch, names, decimal_comma, errors)
        if not self._makers:
            return rows
        columns, reasons = self._made
        for name in columns.column_names:
            rows = rows.append_column(name, columns[name].slice(done, len(batch)))
        for place in range(len(batch)):
            if done + place in reasons:
                errors[place] += reasons[done + place]
        return rows.select([name for name in self._signature.takes if name in rows.column_names])

    def _read(self, batch: pa.Table, names: Sequence[str], decimal_comma: bool, errors: Errors) -> pa.Table:
        """Numbers are float64, words and times are text, as of a request."""
        import pyarrow as pa

        kinds, known = self._signature.takes, self._signature.categorical
        columns: dict[str, pa.Array] = {}
        for name in names:
            if pa.types.is_temporal(batch[name].type) and name == TIMESTAMP:
                columns[name] = as_moments(name, batch[name])
            elif kinds[name] == NUMBER:
                columns[name] = as_numbers(name, batch[name], decimal_comma, errors)
            else:
                columns[name] = as_words(name, batch[name], known.get(name, ()))
        return pa.table(columns)
