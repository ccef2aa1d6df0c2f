"""Rows by the picture that they came from: those that are there are found, only the others are made."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.features.segments import Kind, Segment, open_segments, write_segment
from totalml.identity import short
from totalml.progress import Progress

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.store import Store


@dataclass(frozen=True)
class Filled:
    """Args:
    segments: those that hold a row of some sample.
    segment_of: (N,) which of them holds a sample's row.
    row_of: (N,) and in which of its rows.
    made: rows made now.
    reused: rows that an earlier call had made.
    """

    segments: list[Segment]
    segment_of: NDArray[np.int64]
    row_of: NDArray[np.int64]
    made: int
    reused: int


def fill(
    kind: Kind,
    definition: str,
    blobs: pa.Array,
    make: Callable[[list[str]], Iterable[NDArray[Any]]],
    store: Store,
    progress: Progress,
) -> Filled:
    """Find or make a row for every sample; of two processes one makes it and the other waits.

    Args:
        definition: digest of all that decides a row besides its picture.
        blobs: (N,) the digest of each sample's picture; repeats share a row.
        make: the rows of some blobs, in their order.
    """
    name = short(definition, 32)
    folder = store.folder(kind.room, name, "segments")
    with store.lock(f"{kind.room}-{name}"):
        store.fetch(kind.room, name, "segments")
        segments = _usable_segments(kind, folder, progress)
        segment_of, row_of = _locate(blobs, segments)
        missing = blobs.filter(_array(segment_of < 0)).unique().to_pylist()
        for start in range(0, len(missing), kind.most):
            part = missing[start : start + kind.most]
            segments.append(write_segment(folder, part, make(part), kind))
        if missing:
            store.publish(kind.room, name, "segments")
            segment_of, row_of = _locate(blobs, segments)
    used, segment_of = np.unique(segment_of, return_inverse=True)
    return Filled(
        segments=[segments[number] for number in used],
        segment_of=segment_of.astype(np.int64),
        row_of=row_of,
        made=len(missing),
        reused=len(blobs.unique()) - len(missing),
    )


def _usable_segments(kind: Kind, folder: Path, progress: Progress) -> list[Segment]:
    segments, damaged = open_segments(folder, kind)
    for path, reason in damaged:
        progress.say(f"{reason}; its pictures are {kind.made} again")
        shutil.rmtree(path)
    return segments


def _locate(blobs: pa.Array, segments: list[Segment]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(N,) segment and (N,) row in it of every blob; segment -1 where no segment holds it."""
    import pyarrow.compute as pc

    segment_of, row_of = np.full(len(blobs), -1, np.int64), np.full(len(blobs), -1, np.int64)
    for number, segment in enumerate(segments):
        found = pc.fill_null(pc.index_in(blobs, segment.blobs()), -1).to_numpy(zero_copy_only=False)
        new = (found >= 0) & (segment_of < 0)
        segment_of[new], row_of[new] = number, found[new]
    return segment_of, row_of


def _array(mask: NDArray[np.bool_]) -> pa.Array:
    import pyarrow as pa

    return pa.array(mask)
