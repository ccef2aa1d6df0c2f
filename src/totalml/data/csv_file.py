"""Read a CSV as people have it: any of four separators, packed, from Excel, with identifiers that look like numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.data.paths import normal
from totalml.data.text_file import HEADER_CHARS, Text, head_of, open_text
from totalml.errors import SnapshotError

if TYPE_CHECKING:
    from _csv import Reader

    import pyarrow as pa

SEPARATORS = (",", ";", "\t", "|")
# Leading zeros, or digits beyond what a float64 tells apart: a number would make one of two identifiers.
_IDENTIFIER = r"^[+-]?(0[0-9].*|[0-9]{16,})$"
_LEADING_ZERO = r"^[+-]?0[0-9]"
DECIMAL_COMMA = r"^[+-]?(0|[1-9][0-9]*)(,[0-9]+)?$"


def read_csv(path: Path, text: Sequence[str], needed: Collection[str], timestamp: str | None) -> pa.Table:
    """The table with types guessed; a column whose text would not survive as a number stays text.

    Args:
        text: columns to read as text whatever they look like; 'NA' and 'null' are values of it like any other.
        needed: columns that must be there; they tell which separator is meant.
        timestamp: column of numbers or times, which is no identifier.
    Raises: SnapshotError: it is empty, not UTF-8 or UTF-16, another format, or its lines do not fit its header.
    """
    written = open_text(path)
    separator = _separator(written, needed)
    text = [name for name in _header(written.head, separator) if normal(name) in text]  # as the file spells them
    if written.quotes % 2 and (line := _unclosed_quote(written, separator)):
        raise SnapshotError(f"the table {path} has a quote in line {line} that is never closed; close it or remove it")
    table = _parsed(written, separator, dict.fromkeys(text, "string"))
    table = _with_identifiers(written, separator, table, timestamp)
    return _with_decimal_commas(table, text) if separator != "," else table


def header_of(path: Path, needed: Collection[str]) -> list[str]:
    """The names of the columns, without a look at the rows. Args, Raises: as of `read_csv`."""
    head = head_of(path)
    return _header(head, separator_of(head, needed, first=_usual_separator(path)))


def row_lines(path: Path, needed: Collection[str]) -> list[int]:
    """Where each row begins, as an editor counts lines; (N,), for messages about cells.

    Args: needed: as of `read_csv`, which has read the file.
    """
    written = open_text(path)
    with _reader(written, _separator(written, needed), strict=False) as reader:
        begun, line = [], written.first_line
        for row in reader:
            if row:
                begun.append(line)
            line = written.first_line + reader.line_num
    return begun[1:]  # below the header


def _separator(written: Text, needed: Collection[str]) -> str:
    return separator_of(written.head, needed, first=_usual_separator(written.path))


def _usual_separator(path: Path) -> str:
    return "\t" if ".tsv" in path.suffixes else ","


def separator_of(content: str, needed: Collection[str], first: str) -> str:
    """The one that gives the columns that are needed; where none does, or none is needed, the one that gives most."""
    headers = {mark: _header(content, mark) for mark in (first, *SEPARATORS)}
    fitting = [mark for mark, names in headers.items() if set(needed) <= {*map(normal, names)}]
    return fitting[0] if fitting and needed else max(headers, key=lambda mark: len(headers[mark]))


def _header(content: str, separator: str) -> list[str]:
    start = content.lstrip("\r\n")[:HEADER_CHARS]
    try:
        return next(csv.reader(io.StringIO(start, newline=""), delimiter=separator))
    except csv.Error:
        return []


def _parsed(written: Text, separator: str, types: dict[str, str], only: Sequence[str] = ()) -> pa.Table:
    """A type that fits the first rows and all others is the one that all rows give; else they are held twice."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    options = _options(separator, types, only)
    with suppress(pa.ArrowInvalid), written.opened() as file, arrow_csv.open_csv(file, **options) as batches:
        return batches.read_all()
    with written.opened() as file, _fault_told(written, separator):
        return arrow_csv.read_csv(file, **options)


def _options(separator: str, types: dict[str, str], only: Sequence[str]) -> dict[str, Any]:
    from pyarrow import csv as arrow_csv

    return {
        "parse_options": arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
        "convert_options": arrow_csv.ConvertOptions(
            column_types=types, strings_can_be_null=False, include_columns=list(only)
        ),
    }


@contextmanager
def _fault_told(written: Text, separator: str) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except pa.ArrowInvalid as error:
        fault = _fault(written, separator) or str(error)
        raise SnapshotError(f"the table {written.path} cannot be read: {fault}") from error


def _with_identifiers(written: Text, separator: str, table: pa.Table, timestamp: str | None) -> pa.Table:
    import pyarrow as pa

    kinds = {field.name: field.type for field in table.schema if normal(field.name) != timestamp}
    numbers = {name: kind for name, kind in kinds.items() if kind in (pa.int64(), pa.float64())}
    if not numbers or len(set(table.column_names)) < table.num_columns:  # a name that stands twice is told later
        return table
    patterns = {name: _LEADING_ZERO if kind == pa.int64() else _IDENTIFIER for name, kind in numbers.items()}
    if found := _matching(written, separator, patterns):
        as_written = _parsed(written, separator, dict.fromkeys(found, "string"), found)
        for name in found:
            table = table.set_column(table.column_names.index(name), name, as_written[name])
    return table


def _matching(written: Text, separator: str, patterns: Mapping[str, str]) -> list[str]:
    """The columns of which some cell, as it is written, matches their pattern; some rows at a time."""
    import pyarrow.compute as pc
    from pyarrow import csv as arrow_csv

    found: dict[str, None] = {}
    options = _options(separator, dict.fromkeys(patterns, "string"), [*patterns])
    with written.opened() as file, _fault_told(written, separator), arrow_csv.open_csv(file, **options) as batches:
        for batch in batches:
            for name in patterns.keys() - found:
                if pc.any(pc.match_substring_regex(batch[name], patterns[name])).as_py():
                    found[name] = None
    return [*found]


def _with_decimal_commas(table: pa.Table, text: Sequence[str]) -> pa.Table:
    """`4,5` is a number where the comma separates nothing, unless the column holds anything else."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for number, field in enumerate(table.schema):
        if field.name in text or field.type != pa.string():
            continue
        column = pc.if_else(pc.equal(table.column(number), ""), None, table.column(number))
        if column.null_count < len(column) and pc.all(pc.match_substring_regex(column, DECIMAL_COMMA)).as_py():
            table = table.set_column(number, field.name, pc.replace_substring(column, ",", ".").cast(pa.float64()))
    return table


def _unclosed_quote(written: Text, separator: str) -> int | None:
    """The line of a quote that opens a cell without an end, which would swallow all rows below."""
    line = written.first_line
    with _reader(written, separator) as reader:
        try:
            for _ in reader:
                line = written.first_line + reader.line_num
        except csv.Error as error:
            return line if str(error) == "unexpected end of data" or "field limit" in str(error) else None
    return None


def _fault(written: Text, separator: str) -> str | None:
    """The first line that does not fit the header."""
    line, width = written.first_line, 0
    with _reader(written, separator) as reader:
        try:
            for row in reader:
                width = width or len(row)
                if row and len(row) != width:
                    shown = separator.join(row)[:80]
                    return (
                        f"line {line} has {len(row)} columns, the header {width}: {shown!r}; "
                        f"put a cell that holds {separator!r} in quotes"
                    )
                line = written.first_line + reader.line_num
        except csv.Error as error:
            return f"line {line}: {error}"
    return None


@contextmanager
def _reader(written: Text, separator: str, strict: bool = True) -> Iterator[Reader]:
    with written.opened() as file:
        yield csv.reader(io.TextIOWrapper(file, "utf-8", newline=""), delimiter=separator, strict=strict)
