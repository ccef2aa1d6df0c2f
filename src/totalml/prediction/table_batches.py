"""Read a table a chunk at a time, however long it is: a CSV as text, Parquet as it is typed."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, cast

import pyarrow as pa

from totalml.data.csv_file import separator_of
from totalml.data.paths import normal
from totalml.data.text_file import HEADER_CHARS, names_separator
from totalml.errors import DataError

if TYPE_CHECKING:
    from _csv import Reader

UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Batches:
    """Args:
    names: of the columns, in one Unicode form.
    read: of these columns, those that are there, in batches; once.
    decimal_comma: whether `4,5` in a text is a number, as it is where the comma separates nothing.
    """

    names: list[str]
    read: Callable[[Sequence[str]], Iterator[pa.Table]]
    decimal_comma: bool = False


@contextmanager
def parquet_batches(file: BinaryIO, what: str, at_once: int) -> Iterator[Batches]:
    """Args: at_once: rows of a batch, at most. Raises: DataError: it is no Parquet file."""
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file, buffer_size=2**20)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"the table {what} cannot be read: {error}") from error
    spelt = {normal(name): name for name in table.schema_arrow.names}

    def read(wanted: Sequence[str]) -> Iterator[pa.Table]:
        names = [name for name in wanted if name in spelt]
        try:
            for batch in table.iter_batches(at_once, columns=[spelt[name] for name in names]):
                yield pa.table({name: batch[spelt[name]] for name in names})
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"the table {what} cannot be read: {error}") from error

    yield Batches([*spelt], read)


@contextmanager
def csv_batches(file: BinaryIO, what: str, at_once: int, needed: Sequence[str]) -> Iterator[Batches]:
    """All columns are text.

    Args: at_once: rows of a batch, but for the last one. needed: columns by which the separator is told.
    Raises: DataError: it is no text, or a line does not fit the header.
    """
    # Left open, the wrapper would warn, and close the file when it is collected.
    with _as_text(file, what) as text:
        separator = _separator(text, what, needed)
        reader = csv.reader(text, delimiter=separator, strict=True)
        header = [normal(name) for name in next(_lines(reader, what), [])]
        if not header:
            raise DataError(f"the table {what} is empty; expected a header with the names of columns, and rows")
        if twice := sorted({name for name in header if header.count(name) > 1 and name in needed}):
            raise DataError(f"the table {what} has several columns named {', '.join(twice)}; rename all but one")

        def read(wanted: Sequence[str]) -> Iterator[pa.Table]:
            places = {name: header.index(name) for name in wanted if name in header}
            rows = _fitting(reader, len(header), what)
            while some := list(islice(rows, at_once)):
                yield pa.table({name: pa.array([row[place] for row in some]) for name, place in places.items()})

        yield Batches(header, read, separator != ",")


def _as_text(file: BinaryIO, what: str) -> io.TextIOWrapper:
    data = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if what.lower().endswith(".gz") else file
    with _explained(what, "at its start"):
        encoding = "utf-16" if data.read(2) in UTF_16 else "utf-8-sig"
        data.seek(0)
    return io.TextIOWrapper(data, encoding, newline="")


def _separator(text: io.TextIOWrapper, what: str, needed: Sequence[str]) -> str:
    """What separates the columns; the text then stands at its header."""
    with _explained(what, "at its start"):
        start = text.read(HEADER_CHARS)
        text.seek(0)
        if names_separator(start.partition("\n")[0]):
            return text.readline()[4]
    return separator_of(start, needed, first="\t" if ".tsv" in what.lower() else ",")


def _lines(reader: Reader, what: str) -> Iterator[list[str]]:
    """But for blank ones."""
    while True:
        with _explained(what, f"near line {reader.line_num + 1}"):
            row = next(reader, None)
        if row is None:
            return
        if row:
            yield row


def _fitting(reader: Reader, width: int, what: str) -> Iterator[list[str]]:
    for row in _lines(reader, what):
        if len(row) != width:
            raise DataError(
                f"line {reader.line_num} of the table {what} has {len(row)} columns, the header {width}: "
                f"{' '.join(row)[:80]!r}; put a cell that holds the separator in quotes"
            )
        yield row


@contextmanager
def _explained(what: str, where: str) -> Iterator[None]:
    try:
        yield
    except UnicodeError as error:
        raise DataError(f"the table {what} is not UTF-8 {where}: {error}; save it as UTF-8") from error
    except (csv.Error, OSError, EOFError, zlib.error) as error:
        raise DataError(f"the table {what} cannot be read {where}: {error}") from error
