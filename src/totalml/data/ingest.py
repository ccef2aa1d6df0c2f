"""Read what a source yields, look at each new picture once, and store it.

Memory is bounded by the chunk, not by the data. A file that has not changed since the last call is not opened.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.data.image import UnreadableImage, inspect, too_large
from totalml.data.paths import normal, printable
from totalml.data.sample import BadSample, Ignored, Row, Sample
from totalml.data.screen import misfit
from totalml.store.stat_cache import FileState, StatCache, state_of
from totalml.store.writer import LARGE_BYTES, BlobWriter

if TYPE_CHECKING:
    pass

CHUNK_SAMPLES = 512
CHUNK_BYTES = 32 * 2**20
PIECE = 32  # pictures that a thread looks at before it reports; one by one costs 10 us each
THREADS = 2  # Pillow frees the interpreter while it decodes

Size = tuple[int, int]


@dataclass
class Ingested:
    rows: list[Row] = field(default_factory=list)
    bad: list[BadSample] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)


class Ingest:
    """One pass over a source, under the store's write lock."""

    def __init__(self, writer: BlobWriter, cache: StatCache, max_megapixels: float) -> None:
        self._writer, self._cache, self._max_megapixels = writer, cache, max_megapixels
        self._result = Ingested()

    def run(self, samples: Iterable[Sample | BadSample | Ignored]) -> Ingested:
        with ThreadPoolExecutor(THREADS) as pool:
            for chunk in self._chunks(samples):
                self._look(chunk, pool)
                for sample in chunk:
                    self._keep(sample)
        return self._result

    def _chunks(self, samples: Iterable[Sample | BadSample | Ignored]) -> Iterator[list[_Read]]:
        chunk: list[_Read] = []
        held = 0
        for sample in samples:
            if isinstance(sample, BadSample):
                self._result.bad.append(sample)
            elif isinstance(sample, Ignored):
                self._result.ignored.append(sample)
            else:
                chunk.append(self._read(sample))
                held += chunk[-1].held_bytes
            if len(chunk) >= CHUNK_SAMPLES or held >= CHUNK_BYTES:
                yield chunk
                chunk, held = [], 0
        yield chunk

    def _read(self, sample: Sample) -> _Read:
        """Hash the sample's files; a bad one carries its reason."""
        read = _Read(sample, reason=misfit(sample))
        try:
            if read.reason is not None:
                return read
            if isinstance(sample.image, Path):
                self._read_file(sample.image, read)
            elif sample.image is not None:
                read.image = _Blob.of(sample.image)
            if sample.mask is not None:
                read.mask = _Blob.of(sample.mask)
        except UnreadableImage as error:
            read.reason = str(error)
        except OSError as error:
            read.reason = f"the file cannot be read: {error.strerror or error}"
        return read

    def _read_file(self, path: Path, read: _Read) -> None:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableImage("is not a file")
        state, name = state_of(status), str(path)
        digest = self._cache.find(name, state)
        entry = None if digest is None else self._writer.find(digest)
        if digest is not None and entry is not None and entry.width:
            read.image = _Blob(digest, state.size, None)
            return
        read_ns = time.time_ns()
        if state.size >= LARGE_BYTES:
            read.image = self._store_large(path, state)
        else:
            read.image = _Blob.of(_content(name, state))
        self._cache.add(name, state, read.image.digest, read_ns)

    def _store_large(self, path: Path, state: FileState) -> _Blob:
        """Copy first and look at the copy: nothing large is held in memory, nothing can change in between."""
        with self._writer.copy(path) as (digest, copy):
            _refuse_changed(path.stat(), state)
            if self._writer.find(digest) is None:
                self._writer.keep(digest, copy, *inspect(copy, self._max_megapixels))
        return _Blob(digest, state.size, None)

    def _look(self, chunk: list[_Read], pool: ThreadPoolExecutor) -> None:
        """Decode what nobody has looked at."""
        new: dict[bytes, _Blob] = {}
        for read in chunk:
            for blob in read.blobs():
                entry = self._writer.find(blob.digest)
                if entry is not None and entry.width:
                    blob.look_up((entry.width, entry.height), self._max_megapixels)
                elif blob.data is not None:
                    new[blob.digest] = blob
        pieces = [list(new.values())[start : start + PIECE] for start in range(0, len(new), PIECE)]
        outcomes = dict(zip(new, chain.from_iterable(pool.map(self._inspect, pieces)), strict=True))
        for read in chunk:
            for blob in read.blobs():
                blob.take(outcomes.get(blob.digest))

    def _inspect(self, blobs: list[_Blob]) -> list[Size | UnreadableImage]:
        return [_size_or_error(blob.data or b"", self._max_megapixels) for blob in blobs]

    def _keep(self, read: _Read) -> None:
        reason = read.reason or read.problem()
        if reason is not None:
            self._result.bad.append(BadSample(printable(str(read.sample.id)), reason))
            return
        for blob in read.blobs():
            if blob.data is not None and self._writer.find(blob.digest) is None:
                self._writer.add(blob.digest, blob.data, *(blob.size or (0, 0)))
        self._result.rows.append(read.row())


@dataclass(slots=True)
class _Blob:
    digest: bytes
    size_bytes: int
    data: bytes | None  # None: stored already
    size: Size | None = None
    problem: str | None = None

    @classmethod
    def of(cls, data: bytes) -> _Blob:
        from blake3 import blake3

        return cls(blake3(data).digest(), len(data), data)

    def look_up(self, size: Size, max_megapixels: float) -> None:
        """Apply the limit of today to a picture that was looked at under another one."""
        self.size = size
        self.problem = too_large(*size, max_megapixels)

    def take(self, outcome: Size | UnreadableImage | None) -> None:
        if isinstance(outcome, UnreadableImage):
            self.problem = str(outcome)
        elif outcome is not None:
            self.size = outcome


@dataclass(slots=True)
class _Read:
    sample: Sample
    image: _Blob | None = None
    mask: _Blob | None = None
    reason: str | None = None

    @property
    def held_bytes(self) -> int:
        return sum(len(blob.data) for blob in self.blobs() if blob.data is not None)

    def blobs(self) -> list[_Blob]:
        return [blob for blob in (self.image, self.mask) if blob is not None]

    def problem(self) -> str | None:
        if self.image is not None and self.image.problem is not None:
            return self.image.problem
        if self.mask is None:
            return None
        if self.mask.problem is not None:
            return f"its mask: {self.mask.problem}"
        if self.image is not None and self.mask.size != self.image.size:
            return f"its mask has {_px(self.mask.size)}, the picture {_px(self.image.size)}"
        return None

    def row(self) -> Row:
        image, mask, sample = self.image, self.mask, self.sample
        return Row(
            id=normal(sample.id),
            blob=image.digest if image else None,
            size_bytes=image.size_bytes if image else 0,
            label=sample.label and normal(sample.label),
            group=sample.group and normal(sample.group),
            timestamp=sample.timestamp,
            mask=mask.digest if mask else None,
            metadata=sample.metadata,
        )


def _px(size: Size | None) -> str:
    return "no known size" if size is None else f"{size[0]} x {size[1]} px"


def _size_or_error(data: bytes, max_megapixels: float) -> Size | UnreadableImage:
    try:
        return inspect(data, max_megapixels)
    except UnreadableImage as error:
        return error


def _content(path: str, state: FileState) -> bytes:
    """Read a small file; os.read, because a Path's own way costs three times as much for each file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        data = os.read(descriptor, state.size + 1)
        _refuse_changed(os.fstat(descriptor), state)
    finally:
        os.close(descriptor)
    return data


def _refuse_changed(now: os.stat_result, before: FileState) -> None:
    if state_of(now) != before:
        raise UnreadableImage("the file changed while it was read; run again when nothing writes to it")
