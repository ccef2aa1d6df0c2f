"""Are original pictures too small for what the model sees, or of a strange shape?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from totalml.kinds import PictureCheck
from totalml.quality.report import Finding
from totalml.recipe import Positive, Share

if TYPE_CHECKING:
    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits
    from totalml.quality.pictures import Pictures


class PictureSizes(PictureCheck):
    """Looks at width and height before the picture was made a square."""

    min_side_px: Positive | None = None  # of the shorter side; None: half that of the square that the model sees
    max_aspect: Annotated[float, Field(ge=1)] = 3.0  # longer over shorter side
    max_share: Share = 0.0  # of pictures that may be so
    level: Literal["warn", "stop"] = "warn"

    def findings(self, snapshot: Snapshot, splits: Splits, pictures: Pictures) -> Iterator[Finding]:
        import numpy as np

        from totalml.quality.columns import shown_ids
        from totalml.values.shown import some_of

        known = np.flatnonzero(pictures.sizes.all(axis=1))
        shorter, longer = np.sort(pictures.sizes[known], axis=1).T
        least = self.min_side_px or -(-pictures.side_px // 2)
        faults = {
            f"have a side under {least} px, so much of what the model sees is blown up from little": shorter < least,
            f"are more than {self.max_aspect:g} times as long as wide, so much is cut off or squeezed": longer
            > self.max_aspect * shorter,
        }
        for fault, found in faults.items():
            rows = known[found]
            if len(rows) > self.max_share * len(known):
                few = some_of(len(rows), len(known), "pictures", fault)
                message = f"{few}. Use larger originals, or remove them."
                yield Finding("PictureSizes", self.level, message, shown_ids(snapshot.samples, rows))
