"""What is given to the label test, refused where it is not what was said of it, before anything is changed by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]
    Slices = Mapping[str, ArrayLike]


def checked_losses(losses: ArrayLike) -> Numbers:
    given = np.asarray(losses, np.float64).ravel()
    return _within(given, 1.0, "loss", "scale it, or clip it")


def checked_weights(weights: ArrayLike, count: int, most: float) -> Numbers:
    given = np.asarray(weights, np.float64).ravel()
    if len(given) != count or np.isnan(given).any():
        raise DataError(f"{count} labels need a weight each, but there are {int((~np.isnan(given)).sum())}")
    return _within(given, most, "weight", "clip it, or fit with a larger most_weight")


def _within(values: Numbers, most: float, what: str, mend: str) -> Numbers:
    (wrong,) = np.nonzero((values < 0) | (values > most))
    if len(wrong):
        raise DataError(
            f"{len(wrong)} of {len(values)} have a {what} outside of 0..{most:g}, "
            f"the first of them row {wrong[0]}: {values[wrong[0]]}; {mend}"
        )
    return values


def checked_masks(slices: Slices | None, count: int) -> dict[str, NDArray[np.bool_]]:
    masks = {name: np.asarray(mask, np.bool_).ravel() for name, mask in (slices or {}).items()}
    if wrong := [f"{name} of {len(mask)}" for name, mask in masks.items() if len(mask) != count]:
        raise DataError(f"there are {count} losses, but slices of other lengths: {', '.join(wrong)}")
    return masks
