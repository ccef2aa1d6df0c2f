"""Small files in folders of this machine, as `Remote` gives those that lie elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from totalml.errors import StoreError
from totalml.store.atomic import TEMPORARY, explained


class FileGoneError(StoreError):
    """A file that was listed, or that a list of digests names, is not there."""


def names_in(folder: Path) -> list[str]:
    """Sorted; nothing if there is no such folder.

    Raises: StoreError: it cannot be read.
    """
    try:
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith(TEMPORARY))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"{folder} cannot be read: {error}") from error


@contextmanager
def opened_file(path: Path) -> Iterator[BinaryIO]:
    """Raises: FileGoneError: it is not there. StoreError: it cannot be read."""
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise FileGoneError(f"{path} is gone") from error
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    with file:
        yield file


def remove_file(path: Path) -> None:
    """Remove a file, if it is there, and the folder that it leaves empty.

    Raises: StoreError: the folder cannot be written.
    """
    with explained(path.parent):
        path.unlink(missing_ok=True)
    with suppress(OSError):  # something else lies there, or was just put there
        path.parent.rmdir()
