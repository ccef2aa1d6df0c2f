"""One folder for everything that runs share: blobs by the hash of their content, and folders of other rooms.

A blob's digest is the plain BLAKE3 hash of its bytes, so `b3sum` on a user's own file gives the same one.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from totalml.errors import StoreError
from totalml.identity import PREFIX
from totalml.store.atomic import explained
from totalml.store.index import OWN_FILE, Entry, Index
from totalml.store.writer import BlobWriter

SAY_AFTER_S = 2.0
OPEN_PACKS = 32


class Store:
    def __init__(self, root: Path) -> None:
        self.root = Path(root).absolute()
        self._index = Index(self.root / "packs")

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (self.root,)

    def folder(self, *parts: str) -> Path:
        """A folder of the store, created if need be."""
        path = self.root.joinpath(*parts)
        with explained(path):
            path.mkdir(parents=True, exist_ok=True)
        return path

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Wait until no other process holds the lock of this name."""
        return locked(self.folder("locks") / f"{name}.lock")

    def read(self, digest: str) -> bytes:
        """The bytes of a blob.

        Raises: StoreError: it is missing, or its bytes no longer have this digest.
        """
        return next(self.read_many([digest]))

    def read_many(self, digests: Sequence[str]) -> Iterator[bytes]:
        """Blobs in the order asked for, each verified; a pack is opened once."""
        with ExitStack() as stack:
            files: dict[Path, BinaryIO] = {}
            for digest in digests:
                path, entry = self._place(digest)
                if path not in files:
                    if len(files) == OPEN_PACKS:
                        stack.close()
                        files.clear()
                    files[path] = stack.enter_context(_open(path, digest))
                yield _read_verified(files[path], entry, digest)

    def missing(self, digests: Sequence[str]) -> list[str]:
        """Those digests that the store does not hold."""
        self._index.refresh()
        return [digest for digest in digests if self._index.find(to_bytes(digest)) is None]

    @contextmanager
    def writing(self) -> Iterator[BlobWriter]:
        """Hold the write lock and yield a writer; its blobs are kept unless the block raises."""
        with self.lock("blobs"):
            self._index.refresh()
            writer = BlobWriter(self.folder("packs"), self.folder("large"), self._index)
            writer.remove_leftovers()
            try:
                yield writer
                writer.finish()
            finally:
                writer.discard()

    def _place(self, digest: str) -> tuple[Path, Entry]:
        raw = to_bytes(digest)
        found = self._index.find(raw)
        if found is None:
            self._index.refresh()
            found = self._index.find(raw)
        if found is None:
            raise StoreError(f"store {self.root} holds no blob {digest}. Take the snapshot again.")
        pack, entry = found
        return (self.root / "large" / raw.hex() if entry.offset == OWN_FILE else pack), entry


@lru_cache(maxsize=1)
def _opened(root: Path) -> Store:
    """A store that came from another process; opened once here, as reading the index of a large one takes a second."""
    return Store(root)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file, which no other process can meanwhile; say on stderr what is waited for."""
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    with explained(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=SAY_AFTER_S)
        except Timeout:
            print(f"waiting for another process that holds {path}", file=sys.stderr, flush=True)
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def to_bytes(digest: str) -> bytes:
    """The 32 bytes that a written digest stands for."""
    return bytes.fromhex(digest.removeprefix(PREFIX))


def to_text(digest: bytes) -> str:
    return PREFIX + digest.hex()


def _open(path: Path, digest: str) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise StoreError(f"blob {digest} cannot be read from {path}: {error.strerror}. {_mend(path)}") from error


def _read_verified(file: BinaryIO, entry: Entry, digest: str) -> bytes:
    from blake3 import blake3

    file.seek(0 if entry.offset == OWN_FILE else entry.offset)
    data = file.read(entry.length)
    if blake3(data).digest() != to_bytes(digest):
        raise StoreError(f"blob {digest} is damaged in {file.name}. {_mend(Path(file.name))}")
    return data


def _mend(path: Path) -> str:
    index = path.with_suffix(".idx") if path.suffix == ".pack" else None
    return f"Delete {index or path} and take the snapshot again from the original files."
