"""Read a CSV as people have it: any of four separators, packed, from Excel, with identifiers that look like numbers."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.data.paths import normal
from totalml.errors import SnapshotError

if TYPE_CHECKING:
    from _csv import Reader

    import pyarrow as pa

SEPARATORS = (",", ";", "\t", "|")
HEADER_CHARS = 2**16  # enough for any header
# Leading zeros, or digits beyond what a float64 tells apart: a number would make one of two identifiers.
_IDENTIFIER = r"^[+-]?(0[0-9].*|[0-9]{16,})$"
_LEADING_ZERO = r"^[+-]?0[0-9]"
DECIMAL_COMMA = r"^[+-]?(0|[1-9][0-9]*)(,[0-9]+)?$"
_OTHER_FORMATS = {
    b"PAR1": "a Parquet file; rename it to end in .parquet",
    b"PK\x03\x04": "an Excel or zip file; save the sheet as 'CSV UTF-8'",
    b"\xd0\xcf\x11\xe0": "an Excel file; save the sheet as 'CSV UTF-8'",
}


def read_csv(path: Path, text: Sequence[str], needed: Collection[str], timestamp: str | None) -> pa.Table:
    """The table with types guessed; a column whose text would not survive as a number stays text.

    Args:
        text: columns to read as text whatever they look like; 'NA' and 'null' are values of it like any other.
        needed: columns that must be there; they tell which separator is meant.
        timestamp: column of numbers or times, which is no identifier.
    Raises: SnapshotError: it is empty, not UTF-8 or UTF-16, another format, or its lines do not fit its header.
    """
    content = _text_of(path)
    separator = separator_of(content, needed, _usual(path))
    text = [name for name in _header(content, separator) if normal(name) in text]  # as the file spells them
    if content.count('"') % 2 and (line := _unclosed_quote(content, separator)):
        raise SnapshotError(f"the table {path} has a quote in line {line} that is never closed; close it or remove it")
    data = content.encode()
    table = _parsed(path, data, separator, dict.fromkeys(text, "string"))
    table = _with_identifiers(path, data, separator, table, timestamp)
    return _with_decimal_commas(table, text) if separator != "," else table


def row_lines(path: Path, needed: Collection[str]) -> list[int]:
    """Where each row begins, as an editor counts lines; (N,), for messages about cells.

    Args: needed: as of `read_csv`, which has read the file.
    """
    content = _text_of(path)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator_of(content, needed, _usual(path)))
    begun, line = [], 1
    for row in reader:
        if row:
            begun.append(line)
        line = reader.line_num + 1
    return begun[1:]  # below the header


def _usual(path: Path) -> str:
    return "\t" if ".tsv" in path.suffixes else ","


def _text_of(path: Path) -> str:
    """The file's characters, whatever tells Unix from Windows and Excel apart taken away."""
    data = path.read_bytes()
    if path.suffix.lower() == ".gz":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise SnapshotError(f"the table {path} cannot be unpacked: {error}; pack it again with gzip") from error
    for mark, what in _OTHER_FORMATS.items():
        if data.startswith(mark):
            raise SnapshotError(f"the table {path} is {what}")
    content = _decoded(path, data)
    first, _, rest = content.partition("\n")
    if names_separator(first):
        content = f"\n{rest}"  # lines are counted as an editor does
    if not content.strip():
        raise SnapshotError(f"the table {path} is empty; expected a header with the names of columns, and rows")
    return content


def _decoded(path: Path, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    if b"\0" in data[:HEADER_CHARS]:
        raise SnapshotError(
            f"the table {path} holds zero bytes, as UTF-16 without a mark does; save it as UTF-8, "
            f"e.g. iconv -f UTF-16LE -t UTF-8 {path.name} > utf8.csv"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        shown = data.split(b"\n")[line - 1].decode("cp1252", "replace").strip()[:80]
        raise SnapshotError(
            f"the table {path} is not UTF-8: byte 0x{data[error.start]:02x} in line {line}. If the line should read "
            f"{shown!r}: iconv -f WINDOWS-1252 -t UTF-8 {path.name} > utf8.csv; a spreadsheet saves it as 'CSV UTF-8'"
        ) from error


def names_separator(first_line: str) -> bool:
    """Whether it is the line `sep=;` that tells Excel what separates the columns."""
    return first_line.startswith("sep=") and len(first_line.strip()) == 5


def separator_of(content: str, needed: Collection[str], first: str) -> str:
    """The one that gives the columns that are needed; else the one that gives most, for the message."""
    headers = {mark: _header(content, mark) for mark in (first, *SEPARATORS)}
    fitting = [mark for mark, names in headers.items() if set(needed) <= {*map(normal, names)}]
    return fitting[0] if fitting else max(headers, key=lambda mark: len(headers[mark]))


def _header(content: str, separator: str) -> list[str]:
    start = content.lstrip("\r\n")[:HEADER_CHARS]
    try:
        return next(csv.reader(io.StringIO(start, newline=""), delimiter=separator))
    except csv.Error:
        return []


def _parsed(path: Path, data: bytes, separator: str, types: dict[str, str], only: Sequence[str] = ()) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    try:
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            parse_options=arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=types, strings_can_be_null=False, include_columns=list(only)
            ),
        )
    except pa.ArrowInvalid as error:
        fault = _fault(data.decode(), separator) or str(error)
        raise SnapshotError(f"the table {path} cannot be read: {fault}") from error


def _with_identifiers(path: Path, data: bytes, separator: str, table: pa.Table, timestamp: str | None) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds = {field.name: field.type for field in table.schema if normal(field.name) != timestamp}
    numbers = [name for name, kind in kinds.items() if kind in (pa.int64(), pa.float64())]
    if not numbers or len(set(table.column_names)) < table.num_columns:  # a name that stands twice is told later
        return table
    written = _parsed(path, data, separator, dict.fromkeys(numbers, "string"), numbers)
    for name in numbers:
        pattern = _LEADING_ZERO if kinds[name] == pa.int64() else _IDENTIFIER
        if pc.any(pc.match_substring_regex(written[name], pattern)).as_py():
            table = table.set_column(table.column_names.index(name), name, written[name])
    return table


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


def _unclosed_quote(content: str, separator: str) -> int | None:
    """The line of a quote that opens a cell without an end, which would swallow all rows below."""
    reader, line = _strict(content, separator), 1
    try:
        for _ in reader:
            line = reader.line_num + 1
    except csv.Error as error:
        return line if str(error) == "unexpected end of data" or "field limit" in str(error) else None
    return None


def _fault(content: str, separator: str) -> str | None:
    """The first line that does not fit the header."""
    reader, line, width = _strict(content, separator), 1, 0
    try:
        for row in reader:
            width = width or len(row)
            if row and len(row) != width:
                shown = separator.join(row)[:80]
                return (
                    f"line {line} has {len(row)} columns, the header {width}: {shown!r}; "
                    f"put a cell that holds {separator!r} in quotes"
                )
            line = reader.line_num + 1
    except csv.Error as error:
        return f"line {line}: {error}"
    return None


def _strict(content: str, separator: str) -> Reader:
    return csv.reader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
