"""Pictures of a snapshot -> image rows, decoding only what no earlier feature set has decoded."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from totalml.data.image import UnreadableImage, decode
from totalml.errors import FeatureError
from totalml.features import pixels
from totalml.features.image_rows import ImageRows
from totalml.features.segments import Segment, open_segments, write_segment
from totalml.identity import canonical, digest, short
from totalml.progress import Progress
from totalml.recipe import ImageFeatures

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.store import Store

T = TypeVar("T")
R = TypeVar("R")

DECODERS = 2  # threads; Pillow frees the interpreter lock while it decodes and resizes
WINDOW = 32  # pictures under way at once, so memory stays bounded


@dataclass(frozen=True)
class BuiltImages:
    """Args:
    decoded: pictures decoded now.
    reused: pictures that an earlier feature set had decoded.
    """

    rows: ImageRows
    decoded: int
    reused: int


def definition_digest(image: ImageFeatures) -> str:
    """The digest of all that decides the pixels besides the picture itself."""
    # Pillow's version: its decoders and filters may change a pixel from one release to the next.
    definition = {
        "size": image.size,
        "fit": image.fit,
        "pixels": pixels.VERSION,
        "pillow": version("pillow"),
    }
    return digest("image features v1", canonical(definition))


def build_images(
    image: ImageFeatures, samples: pa.Table, max_megapixels: float, store: Store, progress: Progress
) -> BuiltImages:
    """Decode what is missing and map every sample to its row.

    Args:
        samples: with `id` and `blob`, the digest of the picture.
    Raises: FeatureError: a sample has no picture, or it cannot be decoded.
    """
    name = short(definition_digest(image), 32)
    folder = store.folder("features", name, "segments")
    blobs = _blobs(samples)
    with store.lock(f"features-{name}"):
        store.fetch("features", name, "segments")
        segments = _usable_segments(folder, progress)
        segment_of, row_of = _locate(blobs, segments)
        missing = blobs.filter(_array(segment_of < 0)).unique().to_pylist()
        if missing:
            read = _decoded(missing, image, max_megapixels, store, samples)
            rows = progress.track(read, "decode pictures", len(missing))
            segments.append(write_segment(folder, missing, rows))
            segment_of, row_of = _locate(blobs, segments)
    decoded = len(missing)
    used, segment_of = np.unique(segment_of, return_inverse=True)
    rows_of_all = ImageRows([segments[number] for number in used], segment_of.astype(np.int64), row_of)
    return BuiltImages(rows_of_all, decoded, len(blobs.unique()) - decoded)


def _blobs(samples: pa.Table) -> pa.Array:
    blobs = samples["blob"].combine_chunks()
    if blobs.null_count:
        ids = samples.filter(blobs.is_null())["id"].to_pylist()
        raise FeatureError(
            f"features.image is set but {len(ids)} samples have no picture: {_some(ids)}. "
            "Set 'features.image: null' or give each sample a file."
        )
    return blobs


def _usable_segments(folder: Path, progress: Progress) -> list[Segment]:
    segments, damaged = open_segments(folder)
    for path, reason in damaged:
        progress.say(f"{reason}; its pictures are decoded again")
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


def _decoded(
    blobs: list[str], image: ImageFeatures, max_megapixels: float, store: Store, samples: pa.Table
) -> Iterator[NDArray[np.uint8]]:
    def read(item: tuple[str, bytes]) -> NDArray[np.uint8]:
        blob, data = item
        try:
            return pixels.to_pixels(decode(data, max_megapixels, at_least=pixels.OVERSAMPLE * image.size), image)
        except UnreadableImage as error:
            ids = samples.filter(_array(samples["blob"].to_numpy() == blob))["id"].to_pylist()
            raise FeatureError(
                f"the picture of {_some(ids)} cannot be decoded: {error}. "
                "Mend the file, or set 'data.on_bad_sample: skip' to leave it out."
            ) from error

    with ThreadPoolExecutor(DECODERS) as pool:
        yield from _map_in_order(pool, read, zip(blobs, store.read_many(blobs), strict=True))


def _map_in_order(pool: ThreadPoolExecutor, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Like `pool.map`, with no more than `WINDOW` items under way."""
    todo = iter(items)
    under_way: deque[Future[R]] = deque(pool.submit(function, item) for item in islice(todo, WINDOW))
    while under_way:
        yield under_way.popleft().result()
        under_way.extend(pool.submit(function, item) for item in islice(todo, 1))


def _array(mask: NDArray[np.bool_]) -> pa.Array:
    import pyarrow as pa

    return pa.array(mask)


def _some(ids: list[str]) -> str:
    return ", ".join(map(repr, ids[:10])) + (f" and {len(ids) - 10} more" if len(ids) > 10 else "")
