"""The text of a file in UTF-8, a piece at a time, whatever tells Unix from Windows and Excel apart taken away."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from totalml.errors import SnapshotError

HEADER_CHARS = 2**16  # enough for any header
PIECE_BYTES = 2**22
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OTHER_FORMATS = {
    b"PAR1": "a Parquet file; rename it to end in .parquet",
    b"PK\x03\x04": "an Excel or zip file; save the sheet as 'CSV UTF-8'",
    b"\xd0\xcf\x11\xe0": "an Excel file; save the sheet as 'CSV UTF-8'",
}


@dataclass(frozen=True)
class Text:
    """Args:
    skip: bytes before the text, once it is UTF-8.
    first_line: of the text, as an editor counts lines.
    head: its first characters, the header among them.
    quotes: how many it has.
    """

    path: Path
    skip: int
    first_line: int
    head: str
    quotes: int

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """As UTF-8, at its start."""
        with _in_utf8(self.path) as file:
            file.read(self.skip)
            yield file


def open_text(path: Path) -> Text:
    """Look at all of it once.

    Raises: SnapshotError: it is empty, not UTF-8 or UTF-16, or another format. OSError: it cannot be read.
    """
    with _unpacked(path) as file:
        start = file.read(HEADER_CHARS)
    for mark, what in _OTHER_FORMATS.items():
        if start.startswith(mark):
            raise SnapshotError(f"the table {path} is {what}")
    if b"\0" in start and not start.startswith(_UTF_16):
        raise SnapshotError(
            f"the table {path} holds zero bytes, as UTF-16 without a mark does; save it as UTF-8, "
            f"e.g. iconv -f UTF-16LE -t UTF-8 {path.name} > utf8.csv"
        )
    with _in_utf8(path) as file:
        texts = _decoded(path, file)
        skipped, head = _parted(next(texts))
        quotes, blank = head.count('"'), not head.strip()
        for text in texts:
            quotes, blank = quotes + text.count('"'), blank and not text.strip()
    if blank:
        raise SnapshotError(_empty(path))
    return Text(path, len(skipped.encode()), 1 + skipped.count("\n"), head, quotes)


def head_of(path: Path) -> str:
    """The first characters, the header among them, without a look at what follows.

    Raises: SnapshotError: it is empty, cannot be unpacked, or begins with no UTF-8 or UTF-16.
    """
    with _in_utf8(path) as file:
        try:
            text = _parted(codecs.getincrementaldecoder("utf-8")().decode(file.read(HEADER_CHARS)))[1]
        except UnicodeDecodeError as error:
            raise SnapshotError(_no_utf8(path)) from error
    if not text.strip():
        raise SnapshotError(_empty(path))
    return text


def _empty(path: Path) -> str:
    return f"the table {path} is empty; expected a header with the names of columns, and rows"


def _parted(start: str) -> tuple[str, str]:
    """What stands before the text, and the text."""
    text = start.removeprefix("\ufeff")
    line, _, rest = text.partition("\n")
    text = rest if names_separator(line) else text
    return start[: len(start) - len(text)], text


def _decoded(path: Path, file: BinaryIO) -> Iterator[str]:
    """Raises: SnapshotError: it is not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    more = True
    while more:
        data = file.read(PIECE_BYTES)
        more = bool(data)
        try:
            yield decoder.decode(data, final=not more)
        except UnicodeDecodeError as error:
            raise SnapshotError(_no_utf8(path)) from error


def names_separator(first_line: str) -> bool:
    """Whether it is the line `sep=;` that tells Excel what separates the columns."""
    return first_line.startswith("sep=") and len(first_line.strip()) == 5


@contextmanager
def _unpacked(path: Path) -> Iterator[BinaryIO]:
    """Raises: SnapshotError: within, it cannot be unpacked."""
    if path.suffix.lower() != ".gz":
        with path.open("rb") as file:
            yield file
        return
    try:
        with gzip.open(path) as file:
            yield cast(BinaryIO, file)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SnapshotError(f"the table {path} cannot be unpacked: {error}; pack it again with gzip") from error


@contextmanager
def _in_utf8(path: Path) -> Iterator[BinaryIO]:
    import pyarrow as pa

    with _unpacked(path) as file:
        marked = file.read(2) in _UTF_16
        file.seek(0)
        if not marked:
            yield file
            return
        with pa.PythonFile(file, "r") as raw, pa.transcoding_input_stream(raw, "utf-16", "utf-8") as text:
            yield text


def _no_utf8(path: Path) -> str:
    """Says where, and what it may be instead."""
    with _unpacked(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                shown = line.decode("cp1252", "replace").strip()[:80]
                return (
                    f"the table {path} is not UTF-8: byte 0x{line[error.start]:02x} in line {number}. If the line "
                    f"should read {shown!r}: iconv -f WINDOWS-1252 -t UTF-8 {path.name} > utf8.csv; a spreadsheet "
                    "saves it as 'CSV UTF-8'"
                )
    return f"the table {path} is not UTF-8; it changed while it was read; run again when nothing writes to it"
