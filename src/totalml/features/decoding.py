"""Blobs -> pixels, by threads, by processes or on a cluster: the same rows in the same order whatever does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from totalml.data.image import UnreadableImage, decode
from totalml.features import pixels
from totalml.recipe import ImageFeatures
from totalml.workers import Crew

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.store import Store

CHUNK = 32  # pictures that a worker gets at a time


class UndecodableBlob(Exception):
    """Args:
    blob: digest of the picture.
    reason: why it cannot be decoded.
    """

    def __init__(self, blob: str, reason: str) -> None:
        super().__init__(blob, reason)  # both, so that it survives the way from another process
        self.blob, self.reason = blob, reason


def decoded(
    blobs: Sequence[str],
    image: ImageFeatures,
    max_megapixels: float,
    store: Store,
    crew: Crew,
    name: Callable[[Sequence[str]], str],
) -> Iterator[NDArray[np.uint8]]:
    """(size, size, 3) uint8 of each blob, in order.

    Args: name: what a person knows some of them by.
    Raises:
        UndecodableBlob: one is no picture.
        WorkerError, MissingExtraError: as of `Crew.map`.
    """
    chunks = (blobs[start : start + CHUNK] for start in range(0, len(blobs), CHUNK))
    rows = partial(_chunk, image=image, max_megapixels=max_megapixels, store=store)
    return chain.from_iterable(crew.map(rows, chunks, name, -(-len(blobs) // CHUNK)))


def row_of(data: bytes, image: ImageFeatures, max_megapixels: float) -> NDArray[np.uint8]:
    """(size, size, 3) of one encoded picture.

    Raises: UnreadableImage.
    """
    return pixels.to_pixels(decode(data, max_megapixels, at_least=pixels.OVERSAMPLE * image.size), image)


def _chunk(blobs: Sequence[str], image: ImageFeatures, max_megapixels: float, store: Store) -> NDArray[np.uint8]:
    """(n, size, size, 3) uint8; perhaps in another process, perhaps on another machine that sees the same store."""
    read = zip(blobs, store.read_many(blobs), strict=True)
    return np.stack([_row(blob, data, image, max_megapixels) for blob, data in read])


def _row(blob: str, data: bytes, image: ImageFeatures, max_megapixels: float) -> NDArray[np.uint8]:
    try:
        return row_of(data, image, max_megapixels)
    except UnreadableImage as error:
        raise UndecodableBlob(blob, str(error)) from error
