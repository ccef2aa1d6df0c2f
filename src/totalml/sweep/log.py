"""What a job prints goes to a file of its own; where a person is watching, to stderr as well."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TextIO

from totalml.store.atomic import explained


class _Both(io.TextIOBase):
    """Writes to a log and, if given, to a stream; is no terminal, so that nobody draws a bar into the log."""

    def __init__(self, log: TextIO, also: TextIO | None) -> None:
        self._log, self._also = log, also

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._log.write(text)
        if self._also is not None:
            safe = self._also.encoding or "utf-8"
            self._also.write(text.encode(safe, "replace").decode(safe))
        return len(text)

    def flush(self) -> None:
        self._log.flush()
        if self._also is not None:
            self._also.flush()


@contextmanager
def logged(file: Path, head: str, live: bool) -> Iterator[None]:
    """Append all that the block prints to `file`, after the line `head`.

    Args:
        live: print it on stderr too; stdout stays clean for the sweep's own table.
    """
    with explained(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        log = file.open("a", encoding="utf-8", errors="replace", buffering=1)
    with log:
        both = _Both(log, sys.stderr if live else None)
        with redirect_stdout(both), redirect_stderr(both):
            print(head, flush=True)
            yield
