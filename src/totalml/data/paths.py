"""Names of files, labels and groups in one form, and the rule that a source never leaves its root."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from totalml.errors import SnapshotError
from totalml.target import closest

_LEFT_BY_PROGRAMS = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "__macosx", "icon\r"})


def normal(text: str) -> str:
    """One spelling for each name: macOS writes 'e' + accent where Linux has one letter."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def is_ignored(name: str) -> bool:
    """Hidden files, and those that operating systems leave in folders of photos."""
    return name.startswith(".") or name.lower() in _LEFT_BY_PROGRAMS


def is_text(name: str) -> bool:
    """Whether a file name is valid UTF-8."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def printable(name: str) -> str:
    """A name that can be stored and shown; bytes that are not UTF-8 become `\\xff`."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # no file name, so a surrogate that stands for no byte
        return name.encode("utf-8", "backslashreplace").decode()


def existing_folder(path: str, key: str) -> Path:
    """The folder that a recipe names.

    Args:
        key: where the recipe names it, e.g. `data.source.root`.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise SnapshotError(
            f"the folder {str(folder)!r} of {key} {what} (seen from {Path.cwd()}). "
            f"Set it in the recipe or on the command line: {key}=/path/to/folder"
        )
    return folder.absolute()


def meant(name: str, names: Sequence[str]) -> str:
    """`; did you mean 'x'?`, or nothing."""
    return f"; did you mean {close!r}?" if (close := closest(name, names)) else ""
