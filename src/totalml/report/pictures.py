"""Pictures inside the page, small enough that the page stays one light file."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

# (px, quality) from the nicest down; the first that fits the budget is taken.
STEPS = ((160, 82), (128, 80), (112, 72), (96, 65), (80, 55), (64, 45), (48, 35))


@dataclass(frozen=True)
class Thumbnails:
    """Data URIs of equal size, in the order asked for."""

    uris: tuple[str, ...]
    size_px: int


def thumbnails(images: NDArray[np.uint8], budget_bytes: int) -> Thumbnails:
    """Encode all pictures, at the best size and quality of which the data URIs fit the budget.

    Args:
        images: (n, S, S, 3). They are never enlarged.
    Returns: no pictures at all where even the smallest do not fit.
    """
    for size_px, quality in STEPS:
        size_px = min(size_px, images.shape[1])
        uris = _encoded(images, size_px, quality)
        if sum(map(len, uris)) <= budget_bytes:
            return Thumbnails(uris, size_px)
    return Thumbnails((), 0)


def _encoded(images: NDArray[np.uint8], size_px: int, quality: int) -> tuple[str, ...]:
    return tuple(_one(pixels.tobytes(), pixels.shape[0], size_px, quality) for pixels in images)


# A page shows a picture in several places, and the runs of a sweep show the same ones.
@lru_cache(maxsize=512)
def _one(pixels: bytes, side_px: int, size_px: int, quality: int) -> str:
    from PIL import Image

    picture = Image.frombytes("RGB", (side_px, side_px), pixels)
    picture = picture.resize((size_px, size_px), Image.Resampling.LANCZOS, reducing_gap=3.0)
    file = BytesIO()
    picture.save(file, "WEBP", quality=quality, method=4)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()


def spread(rows: NDArray[np.int64], count: int) -> Sequence[int]:
    """`count` of the rows, evenly spaced, so that the choice needs no chance."""
    if len(rows) <= count:
        return [int(row) for row in rows]
    places = (np.arange(count) + 0.5) * len(rows) / count
    return [int(row) for row in rows[places.astype(np.int64)]]
