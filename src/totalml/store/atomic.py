"""Write files and folders so that a reader, or a crash, sees all of them or nothing.

The order is always: temporary name, write, sync, rename, sync the folder.
"""

import errno
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from totalml.errors import StoreError

TEMPORARY = ".tmp-"  # prefix of everything unfinished
STORES = "runtime.store and runtime.runs"  # say on which disk most files lie
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace or create one file.

    Raises: StoreError: the folder cannot be written or the disk is full; the old file is untouched.
    """
    with explained(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_in_folder(path, data)


def write_in_folder(path: Path, data: bytes, named: str = STORES) -> None:
    """As `write_atomically`, where its folder is: one that somebody removed meanwhile is not made again."""
    with explained(path.parent, len(data), named):
        with _written_beside(path, data) as temporary:
            temporary.replace(path)
        sync_folder(path.parent)


def create_file(path: Path, data: bytes) -> bool:
    """Write a file that is not there yet, whole; of several processes at once, one is told True.

    Raises: OSError: the folder cannot be written, or its file system has no hard links.
    """
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with _written_beside(path, data) as temporary:
        try:
            path.hardlink_to(temporary)  # unlike a rename, it replaces nothing
        except FileExistsError:
            return False
    sync_folder(path.parent)
    return True


@contextmanager
def _written_beside(path: Path, data: bytes) -> Iterator[Path]:
    """A file of another name in the same folder, whole and synced, which goes away at the end."""
    temporary = temporary_beside(path)
    try:
        with temporary.open("xb", buffering=0) as file:
            write_all(file.fileno(), data)
            sync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, values: Any) -> None:
    """Write plain values as indented JSON, whole or not at all."""
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, f"{text}\n".encode())


def write_if_new(path: Path, data: bytes) -> None:
    """Write only if the file does not hold these bytes already, which saves a sync."""
    if not path.exists() or path.read_bytes() != data:
        write_atomically(path, data)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; at the end it stands at `path`, or an equal one that was there first.

    Hold a lock on `path`: what a killed process left of it is removed on entry.
    """
    with explained(path.parent):
        remove_leftovers(path.parent, f"{path.name}-*")
        temporary = temporary_beside(path)
        temporary.mkdir(parents=True)
    try:
        yield temporary
        with explained(path.parent, _size(temporary)):
            _sync_tree(temporary)
            if not path.exists():
                temporary.rename(path)
            sync_folder(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def explained(folder: Path, needed: int = 0, named: str = STORES) -> Iterator[None]:
    """Turn an OSError of the block into a StoreError that says what to do.

    Args:
        needed: bytes that the block writes.
        named: what says on which disk the folder lies.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(_in_words(folder, needed, named, error)) from error


def temporary_beside(path: Path) -> Path:
    return path.with_name(f"{TEMPORARY}{path.name}-{uuid.uuid4().hex[:12]}")


def sync(descriptor: int) -> None:
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Make renames in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path, pattern: str = "*") -> None:
    """Remove what killed processes left unfinished in a folder whose lock is held."""
    for leftover in folder.glob(TEMPORARY + pattern):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)  # who was told to end may still be ending it


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_tree(root: Path) -> None:
    for folder, _, names in os.walk(root):
        for name in names:
            with Path(folder, name).open("rb") as file:
                sync(file.fileno())
        sync_folder(Path(folder))


def _size(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def _in_words(folder: Path, needed: int, named: str, error: OSError) -> str:
    what = f"cannot write in the folder {folder}: {error.strerror or error}."
    if error.errno in _FULL:
        return (
            f"{what} {f'{needed:,} bytes were to be written; ' if needed else ''}{_free(folder)} bytes are free there. "
            f"Make room, or set {named} to another disk; nothing half-written was left."
        )
    return f"{what} Mend its permissions, or set {named} to another folder."


def _free(folder: Path) -> str:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return f"{shutil.disk_usage(there).free:,}"
