"""How a command of ours behaves on a terminal: errors without traceback unless asked for, tables, SIGTERM as Ctrl-C."""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar

from totalml.errors import TRACEBACK_VARIABLE, TotalmlError

TRACEBACK = "--traceback"

_spoken_by = ""  # this process, where several speak

Error = TypeVar("Error", bound=TotalmlError)


def without_traceback(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """The other arguments, and whether tracebacks are asked for."""
    asked = TRACEBACK in arguments or os.environ.get(TRACEBACK_VARIABLE) == "1"
    return [argument for argument in arguments if argument != TRACEBACK], asked


def report(error: Error, show_traceback: bool) -> Error:
    """Write an error to stderr, and hand it on."""
    if show_traceback:
        traceback.print_exception(error)
    print(error, file=sys.stderr)
    return error


def aligned(rows: Sequence[Sequence[str]], before: str = "") -> list[str]:
    """A line for each row, with columns as wide as their widest cell.

    Args: before: what each line begins with.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [before + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def speak_as(name: str) -> None:
    """Begin each line that this process will `say` with its name, as others say the same."""
    global _spoken_by
    _spoken_by = f"{name}: "


def say(line: str) -> None:
    """Tell on stderr what a process that goes on has to tell; where nobody reads it any more, it goes on too."""
    with suppress(OSError):
        # Whole, as several processes write: `print` may bring the end of a line by itself.
        sys.stderr.write(f"{_spoken_by}{line}\n")
        sys.stderr.flush()


def end_on_sigterm_as_on_ctrl_c() -> None:
    """What schedulers and containers send; a run ends as on Ctrl-C, and can go on."""
    signal.signal(signal.SIGTERM, _end)


def _end(*_: object) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a script starts what it leaves in the background
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)
