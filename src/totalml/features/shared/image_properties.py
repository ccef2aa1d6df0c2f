"""What a picture looks like, in a few numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from totalml.features.shared.parts import Parts
from totalml.kinds import SharedFeature

if TYPE_CHECKING:
    import pyarrow as pa

Property = Literal["brightness", "contrast", "sharpness", "noise", "colourfulness", "entropy", "blockiness", "warmth"]


class ImageProperties(SharedFeature):
    """Properties of the square in the middle of each picture, a part each; `totalml.data.image_properties` has units.

    Missing where a row has no picture.
    """

    of: Annotated[Parts[Property], Field(min_length=1)]
    size: Annotated[int, Field(ge=8, le=1024)] = 128  # px, of the square after resizing

    def pictures_px(self) -> int:
        return self.size

    def columns(self, rows: pa.Table) -> pa.Table:
        import numpy as np
        import pyarrow as pa

        from totalml.data.image_properties import image_properties
        from totalml.features.shared.pictured import pixels_of

        pixels, places = pixels_of(rows, self.size)
        found = image_properties(pixels)
        made = {name: np.full(len(rows), np.nan) for name in self.of}
        for name, values in made.items():
            values[places] = found[name]
        return pa.table({name: pa.array(values, from_pandas=True) for name, values in made.items()})
