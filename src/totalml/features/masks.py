"""Masks of pictures in the square that a model sees: what each of its pixels shows.

A mask goes through the geometry of its picture, but by the nearest pixel: its values are names, not brightness.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from totalml.data.image import UnreadableImage, decode_mask
from totalml.errors import FeatureError
from totalml.features.pixels import centre_square, placed
from totalml.recipe import ImageFeatures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.store import Store

NOTHING = 0  # what the border of a padded picture shows


def masks_of(blobs: Sequence[str], image: ImageFeatures, max_megapixels: float, store: Store) -> NDArray[np.uint8]:
    """(n, size, size) uint8 the masks with these digests, in order.

    Raises: FeatureError: one is no picture of one channel.
    """
    squares = np.empty((len(blobs), image.size, image.size), np.uint8)
    for row, (blob, data) in enumerate(zip(blobs, store.read_many(blobs), strict=True)):
        try:
            squares[row] = to_square(decode_mask(data, max_megapixels), image)
        except UnreadableImage as error:
            raise FeatureError(
                f"the mask {blob} cannot be read: {error}. Mend the source or set evaluation.explanation.parts={{}}."
            ) from error
    return squares


def to_square(mask: NDArray[np.uint8], image: ImageFeatures) -> NDArray[np.uint8]:
    """(H, W) -> (size, size); `image.fit` as for pictures."""
    height, width = mask.shape
    if image.fit == "pad":
        square = np.full((image.size, image.size), NOTHING, np.uint8)
        left, top, wide, high = placed((width, height), image.size)
        square[top : top + high, left : left + wide] = _nearest(mask, (wide, high), (0, 0, width, height))
        return square
    box = centre_square((width, height)) if image.fit == "crop" else (0, 0, width, height)
    return _nearest(mask, (image.size, image.size), box)


def _nearest(
    mask: NDArray[np.uint8], size: tuple[int, int], box: tuple[float, float, float, float]
) -> NDArray[np.uint8]:
    """The value in the middle of where each pixel of the square comes from."""
    left, top, right, bottom = box
    columns = left + (np.arange(size[0]) + 0.5) * (right - left) / size[0]
    rows = top + (np.arange(size[1]) + 0.5) * (bottom - top) / size[1]
    return mask[rows.astype(np.int64)[:, None], columns.astype(np.int64)]
