"""Blobs -> pixels, by threads, by processes or on a cluster: the same rows in the same order whatever does it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from totalml.data.image import UnreadableImage, decode
from totalml.errors import FeatureError
from totalml.features import pixels
from totalml.features.workers import by_processes, by_threads
from totalml.recipe import ImageFeatures, RuntimeRecipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.store import Store

THREADS = 2  # Pillow frees the interpreter lock while it decodes and resizes
WINDOW = 32  # pictures under way at once, so memory stays bounded
CHUNK = 32  # pictures that a process gets at a time


class UndecodableBlob(Exception):
    """Args:
    blob: digest of the picture.
    reason: why it cannot be decoded.
    """

    def __init__(self, blob: str, reason: str) -> None:
        super().__init__(blob, reason)  # both, so that it survives the way from another process
        self.blob, self.reason = blob, reason


def decoded(
    blobs: Sequence[str], image: ImageFeatures, max_megapixels: float, store: Store, runtime: RuntimeRecipe
) -> Iterator[NDArray[np.uint8]]:
    """(size, size, 3) uint8 of each blob, in order.

    Raises:
        UndecodableBlob: one is no picture.
        FeatureError: a worker was killed.
        MissingExtraError: the backend is not installed.
    """
    if runtime.backend == "threads":
        return _by_threads(blobs, image, max_megapixels, store, runtime.workers or THREADS)
    return _by_processes(blobs, image, max_megapixels, store, runtime)


def row_of(data: bytes, image: ImageFeatures, max_megapixels: float) -> NDArray[np.uint8]:
    """(size, size, 3) of one encoded picture.

    Raises: UnreadableImage.
    """
    return pixels.to_pixels(decode(data, max_megapixels, at_least=pixels.OVERSAMPLE * image.size), image)


def _row(blob: str, data: bytes, image: ImageFeatures, max_megapixels: float) -> NDArray[np.uint8]:
    try:
        return row_of(data, image, max_megapixels)
    except UnreadableImage as error:
        raise UndecodableBlob(blob, str(error)) from error


def _by_threads(
    blobs: Sequence[str], image: ImageFeatures, max_megapixels: float, store: Store, workers: int
) -> Iterator[NDArray[np.uint8]]:
    def read(item: tuple[str, bytes]) -> NDArray[np.uint8]:
        return _row(*item, image, max_megapixels)

    return by_threads(read, zip(blobs, store.read_many(blobs), strict=True), workers, max(WINDOW, 2 * workers))


def _by_processes(
    blobs: Sequence[str], image: ImageFeatures, max_megapixels: float, store: Store, runtime: RuntimeRecipe
) -> Iterator[NDArray[np.uint8]]:
    chunks = (blobs[start : start + CHUNK] for start in range(0, len(blobs), CHUNK))
    rows = partial(_chunk, image=image, max_megapixels=max_megapixels, store=store)
    wanted_by = f"runtime.backend {runtime.backend!r}"
    try:
        yield from chain.from_iterable(by_processes(rows, chunks, runtime.backend, runtime.workers, wanted_by))
    except BrokenExecutor as error:
        raise FeatureError(
            "a process that decodes pictures was ended from outside, most likely for want of memory; set fewer "
            "runtime.workers, or runtime.backend=threads."
        ) from error


def _chunk(blobs: Sequence[str], image: ImageFeatures, max_megapixels: float, store: Store) -> NDArray[np.uint8]:
    """(n, size, size, 3) uint8; runs in another process, perhaps on another machine that sees the same store."""
    read = zip(blobs, store.read_many(blobs), strict=True)
    return np.stack([_row(blob, data, image, max_megapixels) for blob, data in read])
