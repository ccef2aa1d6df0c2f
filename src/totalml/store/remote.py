"""A folder of any fsspec filesystem, in the few calls that the store needs.

Whatever its filesystem raises becomes a StoreError that names the URL; credentials come from the environment only.
"""

from __future__ import annotations

import errno
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from totalml.errors import MissingExtraError, StoreError, TotalmlError
from totalml.identity import digest, short
from totalml.store.atomic import TEMPORARY, create_file, explained
from totalml.store.local_files import FileGoneError
from totalml.url import protocol_of

# An object appears in these whole or not at all; elsewhere we write beside it and rename.
PUTS_WHOLE = {"abfs", "abfss", "az", "gcs", "gs", "memory", "oss", "s3", "s3a"}
LOCAL = {"file", "local"}
# Of two writers of a new file, these tell one that it came second.
CREATES_ONCE = (PUTS_WHOLE - {"oss"}) | LOCAL
# What s3fs makes of 409, another writer is at it, and of a 412 that does not say which condition failed.
REFUSED_FOR_ANOTHER = (errno.EBUSY, errno.EINVAL)
CREATE_PAUSES_S = (0.05, 0.2, 0.8)
# What filesystems tell of a file that changes with its content.
STATE = ("size", "ETag", "etag", "md5Hash", "LastModified", "last_modified", "mtime", "updated", "created")
EXTRAS = {"s3": "s3", "s3a": "s3"}


class Remote:
    """Files below a URL, by their names relative to it.

    Args:
        url: without credentials.
        writer: a text of whoever writes from here, so that two of them never share a temporary name.
    Raises: MissingExtraError: the filesystem's package is not installed.
    """

    def __init__(self, url: str, writer: str = "") -> None:
        self.url = url
        self._filesystem, self._root = _connect(url)
        protocol = protocol_of(url)
        self._puts_whole, self._is_local = protocol in PUTS_WHOLE, protocol in LOCAL
        self.creates_once = protocol in CREATES_ONCE
        self._mark = short(digest("writer v1", f"{platform.node()} {writer}".encode()))
        self._sizes: dict[str, int] = {}
        self._listed: set[str] = set()

    def at(self, name: str) -> str:
        return f"{self.url}/{name}"

    def files(self, folder: str) -> dict[str, int]:
        """Name -> bytes of all files below a folder; listed once, until `forget`."""
        below = f"{folder}/"
        if not any(below.startswith(f"{listed}/") for listed in self._listed):
            self._list(folder)
        return {name: size for name, size in [*self._sizes.items()] if name.startswith(below)}

    def listed(self, folder: str = "") -> list[tuple[str, bool, str]]:
        """Name of each entry of a folder, sorted; whether it is a folder; what tells a file from what was there before.

        Holds no more than one folder's names, however many lie below it.
        """
        with self._explained(folder, "listed"):
            entries = self._filesystem.ls(self._path(folder), detail=True)
        named = ((entry["name"].rstrip("/")[len(self._root) + 1 :], entry) for entry in entries)
        return sorted((name, each["type"] == "directory", _state(each)) for name, each in named if name != folder)

    def names(self, folder: str) -> list[str]:
        """Last part of the name of each entry of a folder, sorted; nothing if there is none.

        Asked anew each time and remembered nowhere, so that several threads may.
        """
        try:
            found = [name.rpartition("/")[2] for name, _, _ in self.listed(folder)]
        except FileGoneError:
            return []
        return [name for name in found if name != ".." and not name.startswith(TEMPORARY)]

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """A file to be read piece by piece."""
        with self._explained(name, "read"), self._filesystem.open(self._path(name), "rb") as file:
            yield file

    def forget(self, folder: str) -> None:
        """List a folder anew when it is asked for again."""
        self._listed = {listed for listed in self._listed if not f"{folder}/".startswith(f"{listed}/")}

    def has(self, name: str) -> bool:
        """Whether a file is there now, whatever was listed."""
        try:
            with self._explained(name, "looked for"):
                self._filesystem.info(self._path(name))
        except FileGoneError:
            return False
        return True

    def get(self, name: str, target: Path) -> None:
        with explained(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
        with self._explained(name, "read"):
            self._filesystem.get_file(self._path(name), str(target))

    def read(self, name: str) -> bytes:
        with self._explained(name, "read"):
            return bytes(self._filesystem.cat_file(self._path(name)))

    def put(self, source: Path, name: str) -> None:
        """Copy a file there, replacing what has its name."""
        self._write(name, lambda path: self._filesystem.put_file(str(source), path))
        self._note(name, source.stat().st_size)

    def write(self, name: str, data: bytes) -> None:
        self._write(name, lambda path: self._filesystem.pipe_file(path, data))
        self._note(name, len(data))

    def create(self, name: str, data: bytes) -> bool:
        """Write a file that is not there yet; of two machines at once, one is told True."""
        with self._explained(name, "written"):
            self._make_folder(name)
            created = self._create(self._path(name), data)
        if created:
            self._note(name, len(data))
        return created

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with self._explained(name, "removed"), suppress(FileNotFoundError):
            self._filesystem.rm_file(self._path(name))
        self._sizes.pop(name, None)

    def _note(self, name: str, size: int) -> None:
        """Only where it was listed: a service writes for months, and elsewhere all is listed when it is asked for."""
        if any(name.startswith(f"{listed}/") for listed in self._listed):
            self._sizes[name] = size

    def _list(self, folder: str) -> None:
        with self._explained(folder, "listed"):
            self._filesystem.invalidate_cache()
            found = self._filesystem.find(self._path(folder), detail=True)
        below = f"{folder}/"
        self._sizes = {name: size for name, size in self._sizes.items() if not name.startswith(below)}
        for path, info in found.items():
            name = path[len(self._root) + 1 :]
            # A key of an object store may hold '..', and names of ours become paths here.
            if name.startswith(below) and TEMPORARY not in name and ".." not in name.split("/"):
                self._sizes[name] = info.get("size") or 0
        self._listed.add(folder)

    def _write(self, name: str, send: Callable[[str], Any]) -> None:
        with self._explained(name, "written"):
            path = self._path(name)
            if self._puts_whole:
                send(path)
                return
            self._make_folder(name)
            # The same name every time, so that what a killed process left is overwritten by the next.
            folder, _, last = path.rpartition("/")
            temporary = f"{folder}/{TEMPORARY}{self._mark}-{last}"
            send(temporary)
            self._filesystem.mv(temporary, path)

    def _create(self, path: str, data: bytes) -> bool:
        for pause in CREATE_PAUSES_S:
            try:
                return self._create_once(path, data)
            except OSError as error:
                if error.errno not in REFUSED_FOR_ANOTHER:
                    raise
            if self._filesystem.exists(path):
                return False
            time.sleep(pause)
        return self._create_once(path, data)

    def _create_once(self, path: str, data: bytes) -> bool:
        try:
            if self._is_local:
                return create_file(Path(path), data)
            if self._puts_whole:
                self._filesystem.pipe_file(path, data, mode="create")
            else:  # what pipe_file does there is to look first, which is too early
                with self._filesystem.open(path, "xb") as file:
                    file.write(data)
        except FileExistsError:
            return False
        except (NotImplementedError, TypeError, ValueError):  # it cannot; two machines at once may both be told True
            if self._filesystem.exists(path):
                return False
            self._filesystem.pipe_file(path, data)
        return True

    def _make_folder(self, name: str) -> None:
        if not self._puts_whole:  # object stores have no folders, and might make a bucket instead
            self._filesystem.makedirs(self._path(name).rpartition("/")[0], exist_ok=True)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    @contextmanager
    def _explained(self, name: str, done: str) -> Iterator[None]:
        try:
            yield
        except TotalmlError:  # of whoever uses what was opened
            raise
        except Exception as error:  # every filesystem has errors of its own
            kind = FileGoneError if isinstance(error, FileNotFoundError) else StoreError
            raise kind(
                f"{self.at(name)} cannot be {done}: {_in_words(error)}. Check that the bucket or folder exists, that "
                "this machine may read and write there (credentials come from the environment), and the network; "
                "then give the same command again, which goes on."
            ) from error


def _connect(url: str) -> tuple[Any, str]:
    import fsspec

    try:
        # A filesystem of our own: a shared one may have been made with other credentials. Without its memory of
        # listings, by which what another machine has just written would not be there.
        filesystem = fsspec.filesystem(protocol_of(url), skip_instance_cache=True, use_listings_cache=False)
    except ImportError as error:
        package = getattr(error.__cause__, "name", None) or str(error)
        raise MissingExtraError(package, EXTRAS.get(protocol_of(url)), url) from error
    except Exception as error:
        raise StoreError(f"{url} cannot be opened: {_in_words(error)}") from error
    return filesystem, str(filesystem._strip_protocol(url)).rstrip("/")


def _state(entry: Mapping[str, Any]) -> str:
    return repr([str(entry[name]) for name in STATE if name in entry])


def _in_words(error: Exception) -> str:
    text = str(error).rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
