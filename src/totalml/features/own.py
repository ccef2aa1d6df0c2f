"""Columns that a recipe's own code makes of its samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import FeatureError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.data import Snapshot
    from totalml.features.image_rows import ImageRows
    from totalml.features.table import TableColumns
    from totalml.kinds import Feature


def with_own(
    columns: TableColumns, own: Sequence[Feature], snapshot: Snapshot, images: ImageRows | None
) -> TableColumns:
    """The columns, and those that each feature makes.

    Raises: FeatureError: a feature fails, or makes no number for each sample.
    """
    made: dict[str, NDArray[np.float32]] = {}
    for feature in own:
        made |= _made(feature, snapshot, images)
    return columns.with_made(made)


def _made(feature: Feature, snapshot: Snapshot, images: ImageRows | None) -> dict[str, NDArray[np.float32]]:
    name = type(feature).__name__
    try:
        found = feature.columns(snapshot, images)
        made = {str(column): np.asarray(values, np.float32) for column, values in found.items()}
    except Exception as error:  # code of the recipe's own fails in any way
        raise FeatureError(f"the feature {name} failed: {type(error).__name__}: {error}") from error
    for column, values in made.items():
        if values.shape != (len(snapshot.samples),):
            raise FeatureError(
                f"the feature {name} makes {column!r} of shape {values.shape}; expected a number for each of the "
                f"{len(snapshot.samples)} samples, NaN where it is missing"
            )
        if np.isinf(values).any():
            raise FeatureError(
                f"the feature {name} makes {column!r} with {int(np.isinf(values).sum())} infinite values"
            )
    return made
