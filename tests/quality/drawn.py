"""Small photos for the checks of pictures, and what people do to copies of them."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

SIDE = 48  # px
Photo = NDArray[np.uint8]


def photos(count: int, seed: int = 0) -> Photo:
    """(count, S, S, 3): patches of colour with some grain, each another scene."""
    random = np.random.default_rng(seed)
    return np.stack([_photo(random) for _ in range(count)])


def _photo(random: np.random.Generator) -> Photo:
    patches = Image.fromarray(random.integers(0, 256, (6, 6, 3), np.uint8))
    smooth = np.asarray(patches.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float64)
    return np.clip(smooth + random.normal(0, 6, (SIDE, SIDE, 1)), 0, 255).astype(np.uint8)


def compressed(photo: Photo) -> Photo:
    file = BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=70)
    return np.asarray(Image.open(file))


def resized(photo: Photo) -> Photo:
    return np.asarray(Image.fromarray(photo).resize((36, 36), Image.Resampling.BICUBIC).resize((SIDE, SIDE)))


def brightened(photo: Photo) -> Photo:
    return np.clip(photo * 1.12 + 8, 0, 255).astype(np.uint8)


def blurred(photo: Photo) -> Photo:
    return np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(2)))
