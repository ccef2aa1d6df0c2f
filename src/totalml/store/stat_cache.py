"""Remember the hash of each file of a folder, so that an unchanged one is not read again.

A file counts as unchanged if size, both times and inode are. One that was touched just before it was read is not
remembered, because a further change within the clock's tick would leave no trace (git calls this racy).
"""

import os
from pathlib import Path
from typing import NamedTuple

from totalml.store.atomic import write_atomically

MAGIC = b"totalml stat 1\n"
RACY_NS = 2 * 10**9  # the coarsest clock of a common file system (FAT)
CHECKSUM_BYTES = 32
_RECORD = [("size", "<i8"), ("modified", "<i8"), ("changed", "<i8"), ("inode", "<u8"), ("digest", "V32")]


class FileState(NamedTuple):
    size: int
    modified_ns: int
    changed_ns: int
    inode: int


class StatCache:
    """Hashes by path; only what is looked up or added in this session is kept by `save`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = _load(path)
        self._now: dict[str, tuple[int, int, int, int, bytes]] = {}

    def find(self, path: str, state: FileState) -> bytes | None:
        """The digest of the file's content if the file is as it was."""
        record = self._before.get(path)
        if record is None or record[:4] != state:
            return None
        self._now[path] = record
        return record[4]

    def add(self, path: str, state: FileState, digest: bytes, read_ns: int) -> None:
        """Remember a file whose content was read at `read_ns` (time.time_ns)."""
        if is_settled(state, read_ns):
            self._now[path] = (*state, digest)

    def save(self) -> None:
        if self._now != self._before:
            write_atomically(self._path, _encode(self._now))
            self._before = dict(self._now)


def is_settled(state: FileState, read_ns: int) -> bool:
    """Whether a change of the file after `read_ns` is sure to show in its state."""
    return max(state.modified_ns, state.changed_ns) < read_ns - RACY_NS


def state_of(stat: os.stat_result) -> FileState:
    return FileState(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)


def _encode(records: dict[str, tuple[int, int, int, int, bytes]]) -> bytes:
    import numpy as np
    from blake3 import blake3

    paths = "\0".join(records).encode("utf-8", "surrogateescape")
    table = np.array(list(records.values()), _RECORD).tobytes()
    body = MAGIC + len(records).to_bytes(8, "little") + table + paths
    return body + blake3(body).digest()


def _load(path: Path) -> dict[str, tuple[int, int, int, int, bytes]]:
    """What was saved; nothing if there is no file or a damaged one, which only costs time."""
    import numpy as np
    from blake3 import blake3

    if not path.exists():
        return {}
    whole = path.read_bytes()
    body, checksum = whole[:-CHECKSUM_BYTES], whole[-CHECKSUM_BYTES:]
    if not body.startswith(MAGIC) or blake3(body).digest() != checksum:
        return {}
    start = len(MAGIC) + 8
    count = int.from_bytes(body[len(MAGIC) : start], "little")
    records = np.frombuffer(body, _RECORD, count, start)
    paths = body[start + records.nbytes :].decode("utf-8", "surrogateescape").split("\0")
    columns = (records[name].tolist() for name in records.dtype.names or ())
    return dict(zip(paths, zip(*columns, strict=True), strict=count > 0))
