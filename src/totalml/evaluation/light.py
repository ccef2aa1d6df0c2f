"""How bright each picture is, for slices by light."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Floats, Ints

CHUNK_ROWS = 256
SIDE_PX = 32  # a picture's mean does not need more of it


def brightness(gather: Callable[[Ints], NDArray[np.uint8]], rows: Ints) -> Floats:
    """(N,) mean over pixels and channels in [0, 1].

    Args:
        gather: (B,) rows -> (B, H, W, 3) uint8.
    """
    parts = [_means(gather(rows[start : start + CHUNK_ROWS])) for start in range(0, len(rows), CHUNK_ROWS)]
    return np.concatenate([np.zeros(0), *parts])


def _means(images: NDArray[np.uint8]) -> Floats:
    stride = max(1, images.shape[1] // SIDE_PX)
    means: Floats = images[:, ::stride, ::stride].mean(axis=(1, 2, 3)) / 255
    return means
