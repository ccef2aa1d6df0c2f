"""Keeps a local store and a remote one alike, whole immutable things only.

What the store holds is named by its content, so keeping alike is a set difference of names; two machines that send
the same thing do no harm. Blobs go first and what refers to them later, so a reader never finds half of anything.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from totalml.errors import StoreError
from totalml.identity import file_digest
from totalml.store.atomic import explained, remove_leftovers, temporary_beside
from totalml.store.index import Entry, first_damaged, read_index
from totalml.store.locks import locked
from totalml.store.remote import Remote
from totalml.store.whole_folder import (
    DIGESTS,
    DamagedObjectError,
    bring_folder,
    send_folder,
)

PACKS, LARGE, INCOMING = "packs", "large", "incoming"
SINGLE = ("code", "fingerprints")  # folders of small files
# In the order in which they are sent: what refers to other things comes later.
KINDS = (LARGE, PACKS, "snapshots", "features", "embeddings", "shared", "stages", "releases", *SINGLE)
AT_ONCE = 8  # files under way; a request to an object store is mostly waiting

Names = list[str]


class Mirror:
    """Args:
    root: of the local store.
    say: tells the user a line.
    """

    def __init__(self, root: Path, remote: Remote, say: Callable[[str], None]) -> None:
        self._root, self.remote, self._say = root, remote, say

    @property
    def url(self) -> str:
        return self.remote.url

    def has(self, path: Path) -> bool:
        """Whether the remote store holds a pack or a large blob."""
        name = self._name(path)
        return name in self.remote.files(path.parent.name)

    def fetch(self, *parts: str) -> None:
        """Bring what lies there in the remote store and not here; a damaged thing is told and set aside.

        Args:
            parts: name one thing, or a folder of things.
        """
        if self._lacking(parts):
            with self._arriving() as incoming:
                for name in self._lacking(parts):
                    self._bring(name, incoming / "thing")

    def fetch_indexes(self) -> None:
        """Bring the small files that say where each blob lies."""
        names = [name for name in self.remote.files(PACKS) if name.endswith(".idx") and not self._here(name)]
        if names:
            with self._arriving() as incoming, ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda name: self._bring_index(name, incoming), names))

    def fetch_blobs(self, path: Path, entries: dict[bytes, Entry]) -> None:
        """Bring a pack or a large blob, replacing the one that is here.

        Args:
            entries: what the pack's index says; empty for a large blob.
        Raises: DamagedObjectError: the remote one is damaged.
        """
        name = self._name(path)
        with self._arriving() as incoming:
            self.remote.get(name, incoming / path.name)
            if path.suffix == ".pack":
                damaged = first_damaged(incoming / path.name, entries)
            else:
                damaged = path.name if not file_digest(incoming / path.name).endswith(path.name) else None
            if damaged is not None:
                path.with_suffix(".idx").unlink(missing_ok=True)  # gone from here once it is gone from there
                raise DamagedObjectError(f"blob {damaged} is damaged in {self.remote.at(name)}. {self._mend(name)}")
            self._arrive(incoming / path.name, path)

    def publish(self, *parts: str) -> None:
        """Send what lies there in the local store and not in the remote one; what a killed process left, too.

        Args:
            parts: name one thing, or a folder of things; none: everything.
        """
        with locked(self._root / "locks" / "publish.lock"), ThreadPoolExecutor(AT_ONCE) as pool:
            for kind in parts[:1] or KINDS:
                send, names = self._unsent(kind, "/".join(parts))
                list(pool.map(send, names))

    def _unsent(self, kind: str, below: str) -> tuple[Callable[[str], None], Names]:
        """How things of a kind are sent, and which are to be."""
        if not (self._root / kind).is_dir():
            return self._send_file, []
        sizes = self.remote.files(kind)
        if kind == PACKS:
            return self._send_pack, [name for name in self._files(kind, ".idx") if self._is_behind(name, sizes)]
        if kind == LARGE or kind in SINGLE:
            names = [name for name in self._files(kind) if sizes.get(name) != self._size(name)]
            return self._send_file, [name for name in names if name.startswith(below)]
        folders = (self._name(path) for path in _whole_folders(self._root.joinpath(below or kind)))
        return self._send_folder, [name for name in folders if f"{name}/{DIGESTS}" not in sizes]

    def _is_behind(self, index: str, sizes: dict[str, int]) -> bool:
        pack = f"{index.removesuffix('.idx')}.pack"
        return index not in sizes or (self._here(pack) and sizes.get(pack) != self._size(pack))

    def _send_pack(self, index: str) -> None:
        pack = self._root / f"{index.removesuffix('.idx')}.pack"
        entries = read_index(self._root / index)
        if pack.exists():
            if first_damaged(pack, entries) is not None:
                self._say(f"{pack} is damaged and is not sent to {self.url}")
                return
            self.remote.put(pack, self._name(pack))
        self.remote.put(self._root / index, index)

    def _send_file(self, name: str) -> None:
        self.remote.put(self._root / name, name)

    def _send_folder(self, name: str) -> None:
        send_folder(self.remote, self._root / name, name)

    def _lacking(self, parts: tuple[str, ...]) -> Names:
        """Things under `parts` that only the remote store holds."""
        below, names = "/".join(parts), self.remote.files(parts[0])
        things = names if parts[0] in SINGLE else (name.removesuffix(f"/{DIGESTS}") for name in names if _ends(name))
        return [name for name in things if f"{name}/".startswith(f"{below}/") and not self._here(name)]

    def _bring(self, name: str, incoming: Path) -> None:
        if name.partition("/")[0] in SINGLE:
            self.remote.get(name, incoming)
        else:
            try:
                bring_folder(self.remote, name, incoming)
            except DamagedObjectError as error:
                shutil.rmtree(incoming, ignore_errors=True)
                self._say(f"{error}; it is set aside and made again")
                self._set_aside(name)
                return
        self._arrive(incoming, self._root / name)

    def _set_aside(self, name: str) -> None:
        """Without the list of digests nobody reads it, and whoever has a good one sends it again."""
        try:
            self.remote.remove(f"{name}/{DIGESTS}")
        except StoreError as error:
            self._say(str(error))

    def _bring_index(self, name: str, incoming: Path) -> None:
        arrived = incoming / Path(name).name
        self.remote.get(name, arrived)
        try:
            read_index(arrived)
        except StoreError:
            self._say(f"index {self.remote.at(name)} is damaged: its blobs are stored anew. {self._mend(name)}")
            return
        self._arrive(arrived, self._root / name)

    def _arrive(self, arrived: Path, path: Path) -> None:
        with explained(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            arrived.replace(path)

    @contextmanager
    def _arriving(self) -> Iterator[Path]:
        """An empty folder for what is not whole yet; one process at a time brings."""
        folder = self._root / INCOMING
        with locked(self._root / "locks" / "fetch.lock"):
            with explained(folder):
                remove_leftovers(folder)
                temporary = temporary_beside(folder / "from")
                temporary.mkdir(parents=True)
            try:
                yield temporary
            finally:
                shutil.rmtree(temporary, ignore_errors=True)

    def _files(self, kind: str, suffix: str = "") -> Names:
        return [f"{kind}/{path.name}" for path in sorted((self._root / kind).glob(f"[!.]*{suffix}"))]

    def _here(self, name: str) -> bool:
        return (self._root / name).exists()

    def _size(self, name: str) -> int:
        return (self._root / name).stat().st_size

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _mend(self, name: str) -> str:
        stem = name.rpartition(".")[0]
        both = f"{self.remote.at(stem)}.pack and {self.remote.at(stem)}.idx" if stem else self.remote.at(name)
        return (
            f"Delete {both} and give the same command again: a machine that holds a good copy sends it again, "
            "and so does taking the snapshot again."
        )


def _ends(name: str) -> bool:
    return name.endswith(f"/{DIGESTS}")


def _whole_folders(root: Path) -> Iterator[Path]:
    """The highest folders that hold files; one being written has a hidden name."""
    entries = sorted(path for path in root.iterdir() if not path.name.startswith(".")) if root.is_dir() else []
    if any(path.is_file() for path in entries):
        yield root
    else:
        for path in entries:
            yield from _whole_folders(path)
