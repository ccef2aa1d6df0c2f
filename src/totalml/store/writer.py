"""Add blobs: small ones to one pack per snapshot with one sync for all, large ones each to a file of its own."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from totalml.store.atomic import (
    explained,
    remove_leftovers,
    sync,
    sync_folder,
    temporary_beside,
    write_all,
    write_atomically,
)
from totalml.store.copy import copy_and_hash
from totalml.store.index import OWN_FILE, Entry, Index, encode

LARGE_BYTES = 8 * 2**20
PACK_BYTES = 2**30  # a pack is closed at this size, so a killed first snapshot of many files loses little
BUFFER_BYTES = 2**20


class BlobWriter:
    """Adds blobs to a store whose write lock is held; what is added counts once `finish` returns.

    Args:
        is_there: whether a pack or a large blob can be had, here or from a remote store.
    """

    def __init__(self, packs: Path, large: Path, index: Index, is_there: Callable[[Path], bool]) -> None:
        self._packs, self._large, self._index, self._is_there = packs, large, index, is_there
        self._entries: dict[bytes, Entry] = {}
        self._pack: _GrowingFile | None = None
        self.added = 0
        self.written_bytes = 0

    def find(self, digest: bytes) -> Entry | None:
        """Whether a blob is stored, or will be after `finish`."""
        found = self._index.find(digest)
        return found[1] if found else self._entries.get(digest)

    def add(self, digest: bytes, data: bytes, width: int = 0, height: int = 0) -> None:
        """Append a blob of less than `LARGE_BYTES`, or write it to a file of its own."""
        if len(data) >= LARGE_BYTES:
            write_atomically(self._large / digest.hex(), data)
            self._note(digest, Entry(OWN_FILE, len(data), width, height))
            return
        if self._pack is None:
            self._pack = _GrowingFile(temporary_beside(self._packs / "pack"))
        self._note(digest, Entry(self._pack.size, len(data), width, height))
        self._pack.append(data)
        if self._pack.size >= PACK_BYTES:
            self.finish()

    @contextmanager
    def copy(self, source: Path) -> Iterator[tuple[bytes, Path]]:
        """Copy a large file and yield its digest and the copy, which goes away unless `keep` is called."""
        temporary = temporary_beside(self._large / "copy")
        try:
            with source.open("rb") as reader, explained(self._large, source.stat().st_size):
                digest = copy_and_hash(reader, temporary)
            yield digest, temporary
        finally:
            temporary.unlink(missing_ok=True)

    def keep(self, digest: bytes, copy: Path, width: int = 0, height: int = 0) -> None:
        """Give a copied file its name."""
        size = copy.stat().st_size
        with explained(self._large, size):
            with copy.open("rb") as file:
                sync(file.fileno())
            copy.replace(self._large / digest.hex())
            sync_folder(self._large)
        self._note(digest, Entry(OWN_FILE, size, width, height))

    def finish(self) -> None:
        """Sync the pack, give it its name, then write its index: from here on its blobs count."""
        if not self._entries:
            return
        index = encode(self._entries)
        pack = self._packs / f"{index[-8:].hex()}.pack"
        if self._pack is not None:
            self._pack.close_as(pack)
        write_atomically(pack.with_suffix(".idx"), index)
        self._index.add(pack, self._entries)
        self._pack, self._entries = None, {}

    def discard(self) -> None:
        """Remove what is not finished."""
        if self._pack is not None:
            self._pack.discard()
        self._pack, self._entries = None, {}

    def remove_leftovers(self) -> None:
        """Remove what killed processes left: nobody else writes while the lock is held."""
        with explained(self._packs):
            for folder in (self._packs, self._large):
                remove_leftovers(folder)
            for pack in self._packs.glob("*.pack"):
                if not pack.with_suffix(".idx").exists():
                    pack.unlink()
            named, there = self._index.own_files(), {path.name for path in self._large.iterdir()}
            for name in there - named:
                (self._large / name).unlink()
            gone = {name for name in named - there if not self._is_there(self._large / name)}
            self._index.forget({bytes.fromhex(name) for name in gone})

    def _note(self, digest: bytes, entry: Entry) -> None:
        self._entries[digest] = entry
        self.added += 1
        self.written_bytes += entry.length


class _GrowingFile:
    """A new file that is written in large pieces and gets its name at the end."""

    def __init__(self, temporary: Path) -> None:
        self._temporary = temporary
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self.size = 0
        with explained(temporary.parent):
            self._descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)

    def append(self, data: bytes) -> None:
        self._pending.append(data)
        self._pending_bytes += len(data)
        self.size += len(data)
        if self._pending_bytes >= BUFFER_BYTES:
            self._flush()

    def close_as(self, path: Path) -> None:
        self._flush()
        with explained(path.parent, self.size):
            sync(self._descriptor)
            self._temporary.replace(path)
        os.close(self._descriptor)

    def discard(self) -> None:
        self._temporary.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _flush(self) -> None:
        with explained(self._temporary.parent, self._pending_bytes):
            write_all(self._descriptor, b"".join(self._pending))
        self._pending, self._pending_bytes = [], 0
