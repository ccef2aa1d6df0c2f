"""Where pictures and tables lie: a folder of this machine, or one behind a URL. Both list in a fixed order."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from totalml.data.folder import EMPTY, File, files_below
from totalml.data.image import UnreadableImage
from totalml.data.listed_files import ListedFiles
from totalml.data.paths import is_ignored, normal
from totalml.data.sample import BadSample
from totalml.errors import DataError
from totalml.prediction.chunk import Picture
from totalml.store.local_files import FileGoneError
from totalml.store.remote import Remote
from totalml.store.stat_cache import state_of

MEND = "write it relative to the table"


class Folder(Protocol):
    """Can be sent to another process."""

    def pictures(self) -> Iterator[Picture]:
        """All files below it, but for hidden ones; held are the names of one folder at a time."""

    def find(self, file: str) -> Picture:
        """What a table in this folder names."""

    def read(self, path: str) -> bytes:
        """Raises: UnreadableImage: it is gone. StoreError: nothing can be read now."""

    def opened(self, name: str) -> AbstractContextManager[BinaryIO]: ...


class LocalFolder:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._listed = ListedFiles(root, MEND)

    def name_of(self, path: Path) -> str | None:
        """Of a file below it, there or not."""
        real, root = path.resolve(), self._root.resolve()
        return real.relative_to(root).as_posix() if real.is_relative_to(root) else None

    def pictures(self) -> Iterator[Picture]:
        try:
            for found in files_below(self._root):
                if isinstance(found, File):
                    yield _with_state(found.id, found.entry.path)
                elif isinstance(found, BadSample) and found.reason != EMPTY:
                    yield Picture(found.id, "", error=found.reason)
        except OSError as error:
            raise DataError(f"the folder {self._root} cannot be read: {error.strerror or error}") from error

    def find(self, file: str) -> Picture:
        name, path, reason = self._listed.find(file)
        return _with_state(name, str(path)) if path else Picture(name, "", error=reason)

    def read(self, path: str) -> bytes:
        try:
            return Path(path).read_bytes()
        except OSError as error:
            raise UnreadableImage(f"the file cannot be read: {error.strerror or error}") from error

    def opened(self, name: str) -> AbstractContextManager[BinaryIO]:
        return (self._root / name).open("rb")


class RemoteFolder:
    """Pictures that a table names are taken as unchanged: to ask for each would take as long as to read it."""

    def __init__(self, url: str) -> None:
        self._remote = Remote(url)

    def pictures(self) -> Iterator[Picture]:
        return self._below("")

    def find(self, file: str) -> Picture:
        name = posixpath.normpath(file)
        if posixpath.isabs(name) or name.startswith("..") or "://" in file:
            return Picture(
                file, "", error="the file lies outside of the table's folder; write it relative to the table"
            )
        return Picture(normal(name), name)

    def read(self, path: str) -> bytes:
        try:
            return self._remote.read(path)
        except FileGoneError as error:
            raise UnreadableImage("the file is missing") from error

    def opened(self, name: str) -> AbstractContextManager[BinaryIO]:
        return self._remote.opened(name)

    def _below(self, folder: str) -> Iterator[Picture]:
        for name, is_folder, state in self._remote.listed(folder):
            if is_ignored(posixpath.basename(name)):
                continue
            if is_folder:
                yield from self._below(name)
            else:
                yield Picture(normal(name), name, state)


def _with_state(name: str, path: str) -> Picture:
    try:
        return Picture(name, path, repr(state_of(Path(path).stat())))
    except OSError as error:
        return Picture(name, "", error=f"the file cannot be read: {error.strerror or error}")
