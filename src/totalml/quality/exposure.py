"""Are pictures too dark, too bright, or without anything on them?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from totalml.kinds import PictureCheck
from totalml.quality.report import Finding
from totalml.recipe import Share

if TYPE_CHECKING:
    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits
    from totalml.quality.pictures import Pictures


class Exposure(PictureCheck):
    """Counts pixels that are nearly black (under 16 of 255) or nearly white (over 239)."""

    max_black: Share = 0.9  # of a picture's pixels
    max_white: Share = 0.9
    min_contrast: Annotated[float, Field(ge=0, le=128)] = 5.0  # standard deviation of the grey values, of 0..255
    max_share: Share = 0.0  # of pictures that may be so
    level: Literal["warn", "stop"] = "warn"

    def findings(self, snapshot: Snapshot, splits: Splits, pictures: Pictures) -> Iterator[Finding]:
        import numpy as np

        from totalml.quality.columns import shown_ids
        from totalml.values.shown import some_of

        measures = pictures.measures
        flat = measures.contrast < self.min_contrast
        faults = {
            f"too dark: over {self.max_black:.0%} of the pixels are nearly black": measures.black > self.max_black,
            f"too bright: over {self.max_white:.0%} of the pixels are nearly white": measures.white > self.max_white,
            f"flat: the contrast is under {self.min_contrast:g} of 255": flat,
        }
        for fault, found in faults.items():
            rows = np.flatnonzero(found)
            if len(rows) > self.max_share * len(found):
                few = some_of(len(rows), len(found), "pictures", f"are {fault}")
                message = f"{few}. Look at them, and remove those at fault."
                yield Finding("Exposure", self.level, message, shown_ids(snapshot.samples, rows))
