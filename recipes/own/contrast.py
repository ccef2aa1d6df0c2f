"""A feature of one's own: a number made of each picture, which joins the columns of the table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from totalml.kinds import Feature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.data import Snapshot
    from totalml.features.image_rows import ImageRows

CHUNK = 256  # pictures held at once


class Contrast(Feature):
    """Standard deviation of a picture's grey levels, in 0..1."""

    def columns(self, snapshot: Snapshot, images: ImageRows | None) -> Mapping[str, NDArray[Any]]:
        import numpy as np

        if images is None:
            raise ValueError("it needs pictures; set features.image")
        rows = np.arange(len(snapshot.samples))
        parts = [images.gather(rows[start : start + CHUNK]).std(axis=(1, 2, 3)) for start in range(0, len(rows), CHUNK)]
        return {"contrast": np.concatenate(parts) / 255}
