"""One picture -> the square of pixels that a model sees.

Resizing is done here, once, with an antialiasing filter: a model that later reads the square never meets the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from totalml.recipe import ImageFeatures

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

# Another number means other pixels from the same file: raise it when this module or the decoder changes them.
VERSION = 1

# A JPEG may be decoded at 1/2 to 1/8 while it stays this many times larger than the square: faster, no visible change.
OVERSAMPLE = 2

PAD_GREY = (128, 128, 128)  # mid grey: close to what normalisation later maps to zero


def to_pixels(picture: Image.Image, image: ImageFeatures) -> NDArray[np.uint8]:
    """Fit an RGB picture into a square.

    Returns: (size, size, 3) uint8. `crop` keeps the centre of the longer side, `pad` keeps all and fills with mid
        grey, `stretch` changes the proportions. A picture smaller than the square is enlarged.
    """
    if image.fit == "crop":
        return _resized(picture, (image.size, image.size), centre_square(picture.size))
    if image.fit == "stretch":
        return _resized(picture, (image.size, image.size), (0, 0, *picture.size))
    return _padded(picture, image.size)


def centre_square(size: tuple[int, int]) -> tuple[float, float, float, float]:
    """What `crop` keeps of a picture of this width and height: left, top, right, bottom."""
    width, height = size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def placed(size: tuple[int, int], side: int) -> tuple[int, int, int, int]:
    """Where `pad` puts a picture of this width and height in the square: left, top, width, height."""
    scale = side / max(size)
    width, height = (max(1, round(length * scale)) for length in size)
    return (side - width) // 2, (side - height) // 2, width, height


def _padded(picture: Image.Image, side: int) -> NDArray[np.uint8]:
    left, top, width, height = placed(picture.size, side)
    square = np.full((side, side, 3), PAD_GREY, np.uint8)
    square[top : top + height, left : left + width] = _resized(picture, (width, height), (0, 0, *picture.size))
    return square


def _resized(picture: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    from PIL.Image import Resampling

    if picture.size == size and box == (0, 0, *size):
        return np.asarray(picture)
    # reducing_gap: a cheap box filter first where the picture is over 6 times too large; bicubic sees 3 times or more.
    return np.asarray(picture.resize(size, Resampling.BICUBIC, box=box, reducing_gap=3.0))
