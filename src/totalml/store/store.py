"""One folder for everything that runs share: blobs by the hash of their content, and folders of other rooms.

A blob's digest is the plain BLAKE3 hash of its bytes, so `b3sum` on a user's own file gives the same one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from totalml.errors import StoreError
from totalml.identity import PREFIX, digest, short
from totalml.progress import Progress
from totalml.store.atomic import TEMPORARY, explained, write_atomically, write_if_new
from totalml.store.index import OWN_FILE, Entry, Index
from totalml.store.journal import Journal, journal_names
from totalml.store.local_files import names_in, opened_file, remove_file
from totalml.store.locks import locked
from totalml.store.writer import BlobWriter

if TYPE_CHECKING:
    from totalml.store.mirror import Mirror

OPEN_PACKS = 32
REFERRERS = "referrers"


class Store:
    """Args:
    root: a folder of this machine.
    mirror: the remote store that `root` stands before; None: there is none.
    """

    def __init__(self, root: Path, mirror: Mirror | None = None) -> None:
        self.root = Path(root).absolute()
        self._mirror, self._remote = mirror, mirror.remote if mirror is not None else None
        self._index = Index(self.root / "packs", self.root / "large", self._is_there)
        self._has_indexes = mirror is None

    def fetch(self, *parts: str) -> None:
        """Bring what lies there in the remote store and not here, whole and verified; nothing without one."""
        if self._mirror is not None:
            self._mirror.fetch(*parts)

    def publish(self, *parts: str) -> None:
        """Send what lies there, or everything, to the remote store as far as it lacks it; nothing without one."""
        if self._mirror is not None:
            self._mirror.publish(*parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (self.root, self._mirror and self._mirror.url)

    def folder(self, *parts: str) -> Path:
        """A folder of the store, created if need be."""
        path = self.root.joinpath(*parts)
        with explained(path):
            path.mkdir(parents=True, exist_ok=True)
        return path

    def save_file(self, data: bytes, *parts: str) -> None:
        """Write a small file that nobody else writes, here or, where the store lies elsewhere, there."""
        if self._remote is None:
            write_atomically(self.root.joinpath(*parts), data)
        else:
            self._remote.write("/".join(parts), data)

    def files(self, *parts: str) -> list[str]:
        """What `save_file` wrote below a folder: names from the root of the store, sorted; listed anew each time."""
        name = "/".join(parts)
        if self._remote is not None:
            self._remote.forget(name)
            return sorted(self._remote.files(name))
        found = (path for path in self.root.joinpath(*parts).rglob("*") if not path.name.startswith(TEMPORARY))
        return sorted(path.relative_to(self.root).as_posix() for path in found if path.is_file())

    def names(self, *parts: str) -> list[str]:
        """What lies in a folder of small files and folders, sorted; nothing if there is none."""
        if self._remote is None:
            return names_in(self.root.joinpath(*parts))
        return self._remote.names("/".join(parts))

    def open_file(self, *parts: str) -> AbstractContextManager[BinaryIO]:
        """A small file to be read, piece by piece where it lies elsewhere.

        Raises: FileGoneError: it is not there. StoreError: it cannot be read.
        """
        if self._remote is None:
            return opened_file(self.root.joinpath(*parts))
        return self._remote.opened("/".join(parts))

    def remove_file(self, *parts: str) -> None:
        """Remove a small file, if it is there, and here the folder that it leaves empty."""
        if self._remote is None:
            remove_file(self.root.joinpath(*parts))
        else:
            self._remote.remove("/".join(parts))

    def is_link(self, *parts: str) -> bool:
        """Whether a file or folder of this machine is a link, so that what it leads to is not the store's."""
        return self._remote is None and self.root.joinpath(*parts).is_symlink()

    def refer_from(self, runs: Path) -> None:
        """Note that the runs of a folder use this store, so that no cleaning takes from them what they need."""
        name = short(digest("referrer v1", str(runs.absolute()).encode()), 32)
        write_if_new(self.folder(REFERRERS) / name, f"{runs.absolute()}\n".encode())

    def referrers(self) -> dict[Path, Path]:
        """The folders whose runs use this store, each by the file that says so."""
        files = sorted((self.root / REFERRERS).glob("[!.]*"))
        return {file: Path(file.read_text(encoding="utf-8").strip()) for file in files}

    def journal(self, name: str) -> Journal:
        """A history that everybody who uses the store writes into."""
        return Journal(self.root, name, self._remote)

    def journals(self) -> set[str]:
        """The names of all journals."""
        return journal_names(self.root, self._remote)

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
                    files[path] = stack.enter_context(self._open(path, digest))
                data = _read(files[path], entry)
                if not _fits(data, digest):
                    self._replace(path, digest)
                    stack.close()
                    files.clear()
                    files[path] = stack.enter_context(self._open(path, digest))
                    data = _read(files[path], entry)
                yield data

    def missing(self, digests: Sequence[str]) -> list[str]:
        """Those digests that the store does not hold."""
        self._refresh()
        return [digest for digest in digests if self._index.find(to_bytes(digest)) is None]

    def picture_sizes(self, digests: Sequence[str]) -> list[tuple[int, int]]:
        """Width and height in px of each picture as it is shown; 0, 0 where nobody has looked."""
        self._refresh()
        places = [self._index.find(to_bytes(digest)) for digest in digests]
        return [(place[1].width, place[1].height) if place else (0, 0) for place in places]

    @contextmanager
    def writing(self) -> Iterator[BlobWriter]:
        """Hold the write lock and yield a writer; its blobs are kept unless the block raises."""
        with self.lock("blobs"):
            self._refresh()
            writer = BlobWriter(self.folder("packs"), self.folder("large"), self._index, self._is_there)
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
            self._refresh()
            found = self._index.find(raw)
        if found is None:
            raise StoreError(f"store {self.root} holds no blob {digest}. Take the snapshot again.")
        pack, entry = found
        return (self.root / "large" / raw.hex() if entry.offset == OWN_FILE else pack), entry

    def _refresh(self) -> None:
        if self._mirror is not None and not self._has_indexes:
            self._mirror.fetch_indexes()
            self._has_indexes = True
        self._index.refresh()

    def _is_there(self, path: Path) -> bool:
        return path.exists() or (self._mirror is not None and self._mirror.has(path))

    def _open(self, path: Path, digest: str) -> BinaryIO:
        if self._mirror is not None and not path.exists():
            self._mirror.fetch_blobs(path, self._index.entries_of(path))
        try:
            return path.open("rb")
        except OSError as error:
            raise StoreError(f"blob {digest} cannot be read from {path}: {error.strerror}. {_mend(path)}") from error

    def _replace(self, path: Path, digest: str) -> None:
        """Bring the remote copy of a damaged pack or large blob.

        Raises: StoreError: there is none.
        """
        damaged = f"blob {digest} is damaged in {path}"
        if self._mirror is None or not self._mirror.has(path):
            raise StoreError(f"{damaged}. {_mend(path)}")
        self._mirror.fetch_blobs(path, self._index.entries_of(path))


@lru_cache(maxsize=1)
def _opened(root: Path, url: str | None) -> Store:
    """A store that came from another process; opened once here, as reading the index of a large one takes a second."""
    from totalml.store.mirror import Mirror
    from totalml.store.remote import Remote

    return Store(root, Mirror(root, Remote(url, str(root)), Progress("plain").say) if url else None)


def to_bytes(digest: str) -> bytes:
    """The 32 bytes that a written digest stands for."""
    return bytes.fromhex(digest.removeprefix(PREFIX))


def to_text(digest: bytes) -> str:
    return PREFIX + digest.hex()


def _read(file: BinaryIO, entry: Entry) -> bytes:
    file.seek(0 if entry.offset == OWN_FILE else entry.offset)
    return file.read(entry.length)


def _fits(data: bytes, digest: str) -> bool:
    from blake3 import blake3

    return blake3(data).digest() == to_bytes(digest)


def _mend(path: Path) -> str:
    index = path.with_suffix(".idx") if path.suffix == ".pack" else None
    return f"Delete {index or path} and take the snapshot again from the original files."
