"""Pixels or embeddings on disk: immutable segments of rows, each with the blobs that its rows came from.

A new snapshot adds one segment with the blobs that no earlier segment holds, so a hundred new photos cost a
hundred decodes and the ten thousand old rows are never copied.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.errors import StoreError
from totalml.identity import digest, short
from totalml.store.atomic import atomic_folder, explained

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

BLOBS, MANIFEST = "blobs.txt", "segment.json"
NAME_LENGTH = 32  # hex digits of the digest over the blobs
WRITE_BYTES = 1 << 22


class DamagedSegmentError(StoreError):
    """A segment whose files do not agree with its manifest; it can be made again from the snapshot."""


@dataclass(frozen=True)
class Kind:
    """What the rows of a segment are.

    Args:
        room: the folder of the store for segments of this kind.
        file: name of the file that holds them.
        number: numpy's name for the type of their numbers.
        made: what is done to a picture to get its row, in one word.
        most: rows of a segment; what an interruption costs at most.
    """

    room: str
    file: str
    number: str
    made: str
    most: int


# Pixels in one piece: decoding is quick, and gathering from one segment is quickest.
PIXELS = Kind("features", "pixels.u8", "|u1", "decoded", most=2**62)
EMBEDDINGS = Kind("embeddings", "embeddings.f32", "<f4", "embedded", most=2**14)


@dataclass(frozen=True)
class Segment:
    """Args:
    folder: holds the three files.
    shape: (rows, ...): of pixels (rows, height, width, channels), of embeddings (rows, width).
    digest: of the file of rows and of the list of blobs.
    """

    kind: Kind
    folder: Path
    shape: tuple[int, ...]
    digest: str

    @property
    def file(self) -> Path:
        return self.folder / self.kind.file

    def numbers(self) -> NDArray[Any]:
        """The rows, memory-mapped and read-only."""
        return np.memmap(self.file, np.dtype(self.kind.number), mode="r", shape=self.shape)

    def blobs(self) -> pa.Array:
        """(rows,) digests of the blobs, in row order."""
        import pyarrow as pa

        return pa.array((self.folder / BLOBS).read_text().split())

    def verify(self) -> None:
        """Read both files whole.

        Raises: DamagedSegmentError: it is not what was written.
        """
        if (found := _file_digest(self.file, self.folder / BLOBS)) != self.digest:
            raise DamagedSegmentError(
                f"feature segment {self.folder} has the digest {short(found)}, expected {short(self.digest)}. "
                f"Delete the folder {self.folder}; the next run makes it again."
            )


def open_segments(folder: Path, kind: Kind) -> tuple[list[Segment], list[tuple[Path, str]]]:
    """The segments below a folder by name, and those that cannot be used, each with the reason.

    Every byte is hashed, at some 2 GB/s: a flipped one would change the weights without a word.
    """
    good, damaged = [], []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if len(path.name) != NAME_LENGTH:
            continue  # what a crash left of a segment that was being written
        try:
            segment = _open(path, kind)
            segment.verify()
            good.append(segment)
        except DamagedSegmentError as error:
            damaged.append((path, str(error)))
    return good, damaged


def write_segment(folder: Path, blobs: Sequence[str], rows: Iterable[NDArray[Any]], kind: Kind) -> Segment:
    """Stream rows to a new segment; nothing is left of it if this fails."""
    target = folder / short(digest("segment blobs v1", "\n".join(blobs).encode()), NAME_LENGTH)
    with explained(folder), atomic_folder(target) as temporary:
        shape = _write_rows(temporary / kind.file, rows, np.dtype(kind.number))
        (temporary / BLOBS).write_text("\n".join(blobs))
        manifest = {"shape": [len(blobs), *shape], "digest": _file_digest(temporary / kind.file, temporary / BLOBS)}
        (temporary / MANIFEST).write_text(json.dumps(manifest))
    return _open(target, kind)


def _write_rows(path: Path, rows: Iterable[NDArray[Any]], number: np.dtype[Any]) -> tuple[int, ...]:
    shape: tuple[int, ...] = ()
    with path.open("wb", buffering=WRITE_BYTES) as file:
        for row in rows:
            shape = row.shape
            file.write(row.astype(number, copy=False).tobytes())
    return shape


def _open(path: Path, kind: Kind) -> Segment:
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        segment = Segment(kind, path, tuple(manifest["shape"]), manifest["digest"])
        (path / BLOBS).stat()
        size = segment.file.stat().st_size
        expected = int(np.prod(segment.shape, dtype=np.int64)) * np.dtype(kind.number).itemsize
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedSegmentError(f"feature segment {path} cannot be read: {error}") from error
    if size != expected:
        raise DamagedSegmentError(f"feature segment {path} has {size} bytes of {kind.file}, expected {expected}")
    return segment


def _file_digest(*paths: Path) -> str:
    from blake3 import blake3

    hasher = blake3(derive_key_context="totalml feature segment v1")
    for path in paths:
        hasher.update(path.stat().st_size.to_bytes(8, "little"))
        with path.open("rb") as file:
            while chunk := file.read(WRITE_BYTES):
                hasher.update(chunk)
    return f"blake3:{hasher.hexdigest()}"
