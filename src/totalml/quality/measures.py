"""What the checks need to know of a picture, measured for all of them in one pass over the pixels.

Everything is told of the square that the model sees: a fault that it cannot see does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.data.image_properties import contrast_and_sharpness, grey_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

SKETCH_PX = 16
GRID = 8  # cells of the hash in each direction
NEARLY_BLACK, NEARLY_WHITE = 16.0, 239.0  # grey values, of 0..255


@dataclass(frozen=True)
class Measures:
    """N pictures.

    Args:
        hashes: (N, 16) uint8, 128 bits: in a grid of 8 x 8, which of two neighbours is brighter, across and down.
        sketches: (N, 256) uint8, the picture in grey at 16 x 16 px.
        sharpness: (N,) float32, deviation of the Laplacian over `contrast`, so that dim light is no blur; 0 if flat.
        contrast: (N,) float32, standard deviation of the grey values, 0..128.
        black, white: (N,) float32, share of the pixels that are nearly black, nearly white.
    """

    hashes: NDArray[np.uint8]
    sketches: NDArray[np.uint8]
    sharpness: NDArray[np.float32]
    contrast: NDArray[np.float32]
    black: NDArray[np.float32]
    white: NDArray[np.float32]

    @classmethod
    def joined(cls, parts: Sequence[Measures]) -> Measures:
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


def measure(images: NDArray[np.uint8]) -> Measures:
    """Args: images: (B, S, S, 3) RGB, S at least 3."""
    grey = grey_values(images)
    contrast, sharpness = contrast_and_sharpness(grey)
    return Measures(
        hashes=_hashes(grey),
        sketches=_sketches(grey),
        sharpness=sharpness.astype(np.float32),
        contrast=contrast.astype(np.float32),
        black=(grey < NEARLY_BLACK).mean(axis=(1, 2), dtype=np.float32),
        white=(grey > NEARLY_WHITE).mean(axis=(1, 2), dtype=np.float32),
    )


def _sketches(grey: NDArray[np.float32]) -> NDArray[np.uint8]:
    pooled = np.clip(np.rint(_pooled(grey, SKETCH_PX, SKETCH_PX)), 0, 255)
    return pooled.astype(np.uint8).reshape(len(grey), SKETCH_PX**2)


def _hashes(grey: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Comparisons survive another brightness, contrast, size or compression; values do not."""
    across, down = _pooled(grey, GRID, GRID + 1), _pooled(grey, GRID + 1, GRID)
    bits = np.stack([across[:, :, 1:] > across[:, :, :-1], down[:, 1:] > down[:, :-1]], axis=1)
    return np.packbits(bits.reshape(len(grey), 2 * GRID * GRID), axis=1)


def _pooled(planes: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    """(B, H, W) -> (B, rows, columns), each the mean of its area."""
    height, width = planes.shape[1:]
    pooled: NDArray[np.float32] = _pooling(height, rows) @ planes @ _pooling(width, columns).T
    return pooled


@lru_cache(maxsize=32)
def _pooling(side: int, cells: int) -> NDArray[Any]:
    """(cells, side) weights of the mean over equal lengths; a pixel across a border counts for both by its share."""
    borders, pixel = np.linspace(0, side, cells + 1), np.arange(side)
    overlap = np.minimum(borders[1:, None], pixel + 1) - np.maximum(borders[:-1, None], pixel)
    weights: NDArray[Any] = (np.clip(overlap, 0, None) * cells / side).astype(np.float32)
    return weights
