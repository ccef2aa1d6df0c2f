"""Where each blob lies: the index files beside the packs.

A pack counts only once its index stands beside it; a pack without one is what a killed process left.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from totalml.errors import StoreError

MAGIC = b"totalml index 1\n"
CHECKSUM_BYTES = 32
OWN_FILE = 2**64 - 1  # offset of a blob that is too large for a pack
_RECORD = [("digest", "V32"), ("offset", "<u8"), ("length", "<u8"), ("width", "<u4"), ("height", "<u4")]


class Entry(NamedTuple):
    """Args:
    offset: byte in the pack, or `OWN_FILE`.
    width, height: px of the picture as it is shown; 0 if nobody has looked whether it can be read.
    """

    offset: int
    length: int
    width: int
    height: int


class Index:
    """All index files of a folder; each is read once.

    Args:
        large: folder of the blobs that are too large for a pack.
        is_there: whether a pack or a large blob can be had. A blob whose file is gone does not count, so that it is
            stored anew when it comes by again.
    """

    def __init__(self, folder: Path, large: Path, is_there: Callable[[Path], bool]) -> None:
        self._folder, self._large, self._is_there = folder, large, is_there
        self._packs: dict[str, Path] = {}
        self._entries: dict[bytes, tuple[Path, Entry]] = {}

    def refresh(self) -> None:
        """Take in the index files that joined since the last call, and forget those that are gone."""
        found = sorted(self._folder.glob("*.idx"))
        if self._packs.keys() - {path.name for path in found}:  # cleaned away; another may hold the same blobs
            self._packs, self._entries = {}, {}
        for path in found:
            if path.name not in self._packs:
                pack, entries = path.with_suffix(".pack"), read_index(path)
                has_pack = self._is_there(pack)
                self.add(pack, {raw: entry for raw, entry in entries.items() if self._counts(raw, entry, has_pack)})

    def add(self, pack: Path, entries: dict[bytes, Entry]) -> None:
        self._packs[pack.with_suffix(".idx").name] = pack
        for digest, entry in entries.items():
            self._entries[digest] = pack, entry

    def find(self, digest: bytes) -> tuple[Path, Entry] | None:
        """The pack that holds a blob, and its place there."""
        return self._entries.get(digest)

    def own_files(self) -> set[str]:
        """Names of the files of blobs that are too large for a pack."""
        return {digest.hex() for digest, (_, entry) in self._entries.items() if entry.offset == OWN_FILE}

    def entries_of(self, pack: Path) -> dict[bytes, Entry]:
        """What lies in a pack."""
        return {raw: entry for raw, (place, entry) in self._entries.items() if place == pack}

    def forget(self, digests: set[bytes]) -> None:
        """Have these blobs stored anew when they come by again."""
        for digest in digests:
            del self._entries[digest]

    def _counts(self, raw: bytes, entry: Entry, has_pack: bool) -> bool:
        return self._is_there(self._large / raw.hex()) if entry.offset == OWN_FILE else has_pack


def encode(entries: dict[bytes, Entry]) -> bytes:
    """The bytes of an index file."""
    import numpy as np
    from blake3 import blake3

    records = np.array([(digest, *entry) for digest, entry in entries.items()], dtype=_RECORD)
    body = MAGIC + records.tobytes()
    return body + blake3(body).digest()


def read_index(path: Path) -> dict[bytes, Entry]:
    """Raises: StoreError: it is damaged."""
    import numpy as np
    from blake3 import blake3

    whole = path.read_bytes()
    body, checksum = whole[:-CHECKSUM_BYTES], whole[-CHECKSUM_BYTES:]
    if not body.startswith(MAGIC) or blake3(body).digest() != checksum:
        raise StoreError(
            f"index file {path} is damaged. Delete it and take the snapshot again; what it listed is stored anew."
        )
    records = np.frombuffer(body[len(MAGIC) :], dtype=_RECORD)
    # Column by column: numpy turns whole records into tuples ten times as slowly.
    places = zip(*(records[name].tolist() for name in Entry._fields), strict=True)
    return dict(zip(records["digest"].tolist(), map(Entry._make, places), strict=True))


def first_damaged(pack: Path, entries: Mapping[bytes, Entry]) -> str | None:
    """The first blob, as hex, whose bytes in a pack no longer have its digest."""
    import mmap

    from blake3 import blake3

    places = {raw: entry for raw, entry in entries.items() if entry.offset != OWN_FILE}
    with pack.open("rb") as file:
        if not pack.stat().st_size:  # cannot be mapped
            return next((raw.hex() for raw, entry in places.items() if entry.length), None)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            for raw, (offset, length, _, _) in places.items():
                if blake3(whole[offset : offset + length]).digest() != raw:
                    return raw.hex()
    return None
