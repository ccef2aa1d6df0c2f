"""Where the model of a run ought to look: where masks of its pictures show the subject, or else at the middle.

Of a picture that a service is sent nobody knows a mask, so the region is the same for all: how often the subject was at
each place of the pictures that a monitor compares with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from totalml.evaluation.pictures import evenly
from totalml.features.masks import masks_of
from totalml.release.attribution import MIDDLE, SUBJECT, Region

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.data import Snapshot
    from totalml.recipe import Recipe
    from totalml.store import Store

MOST = 512  # masks, evenly taken
CHUNK = 64  # masks held at once
SIDE = 128  # px that they are looked at in, at most


def region_of(
    recipe: Recipe, snapshot: Snapshot, rows: NDArray[np.int64], grid: tuple[int, int], store: Store
) -> Region:
    """Args:
    rows: of the snapshot.
    grid: rows and columns of a map.
    Raises: FeatureError: a mask cannot be read.
    """
    found = _subject(recipe, snapshot, rows, max(grid), store)
    if found is not None:
        return Region(SUBJECT, pooled(found, grid))
    side = max(SIDE, *grid)
    square = np.zeros((side, side), np.float32)
    square[side // 4 : -side // 4, side // 4 : -side // 4] = 1
    return Region(MIDDLE, pooled(square, grid))


def pooled(square: NDArray[np.float32], grid: tuple[int, int]) -> NDArray[np.float32]:
    """The mean of each place. Args: square: (S, S), S no less than either number of the grid."""
    starts = [np.linspace(0, len(square), count, endpoint=False).round().astype(int) for count in grid]
    sums = np.add.reduceat(np.add.reduceat(square, starts[0], axis=0), starts[1], axis=1)
    high, wide = (np.diff(each, append=len(square)).astype(np.float32) for each in starts)
    means: NDArray[np.float32] = sums / (high[:, None] * wide)
    return means


def _subject(
    recipe: Recipe, snapshot: Snapshot, rows: NDArray[np.int64], least: int, store: Store
) -> NDArray[np.float32] | None:
    """(S, S) how often it is there; None: no mask tells. Args: least: of S."""
    asked, image = recipe.evaluation.explanation, recipe.features.image
    if asked is None or not asked.subject or image is None:
        return None
    blobs = [blob for blob in snapshot.samples["mask"].take(rows).to_pylist() if blob is not None]
    if not blobs:
        return None
    some = [blobs[place] for place in evenly(np.arange(len(blobs)), MOST)]
    bits = int(np.bitwise_or.reduce([asked.parts[name] for name in asked.subject]))
    small = image.model_copy(update={"size": max(min(image.size, SIDE), least)})
    shown = np.zeros((small.size, small.size), np.float32)
    for start in range(0, len(some), CHUNK):
        masks = masks_of(some[start : start + CHUNK], small, recipe.data.max_megapixels, store)
        shown += (masks & bits > 0).sum(axis=0, dtype=np.float32)
    return shown / len(some)
