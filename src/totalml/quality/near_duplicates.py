"""Does the same photo come back as another file?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from totalml.kinds import PictureCheck
from totalml.quality.report import Finding
from totalml.recipe import Share
from totalml.values.shown import counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits
    from totalml.quality.pictures import Pictures


class NearDuplicates(PictureCheck):
    """Looks for copies that were compressed again, resized or brightened, and tells three faults apart.

    They stand in two splits; they carry different labels; they are more than `max_share` of all pictures. Copies byte
    by byte are the matter of `Duplicates` and `SplitLeakage`.
    """

    max_share: Share = 0.02
    level: Literal["warn", "stop"] = "warn"

    def findings(self, snapshot: Snapshot, splits: Splits, pictures: Pictures) -> Iterator[Finding]:
        import numpy as np

        from totalml.quality.columns import codes
        from totalml.quality.look_alikes import look_alikes

        photo = look_alikes(pictures.measures)
        rows = np.flatnonzero(_differs(photo, codes(snapshot.samples["blob"])))
        if not len(rows):
            return
        part = np.full(len(photo), -1)
        for number, chosen in enumerate((splits.train, splits.validation, splits.test)):
            part[chosen] = number
        placed = rows[part[rows] >= 0]
        leaking = placed[_differs(photo[placed], part[placed])]
        if len(leaking):
            yield self._leak(snapshot, photo, part, leaking)
        label = codes(snapshot.samples["label"])
        labelled = rows[label[rows] >= 0]
        torn = labelled[_differs(photo[labelled], label[labelled])]
        if len(torn):
            what = f"label conflict: {_photos(photo, torn)} more than one label, over {len(torn)} files"
            yield self._finding(snapshot, photo, torn, f"{what}. Decide which label is right, or remove them.")
        copies = len(rows) - len(np.unique(photo[rows]))
        if copies > self.max_share * len(photo):
            what = f"{copies} of {len(photo)} pictures ({copies / len(photo):.1%}) repeat the photo of an earlier one"
            message = f"{what}, more than max_share {self.max_share:g}. Keep one of each, or raise max_share."
            yield self._finding(snapshot, photo, rows, message)

    def _leak(
        self, snapshot: Snapshot, photo: NDArray[np.int64], part: NDArray[np.int64], rows: NDArray[np.int64]
    ) -> Finding:
        import numpy as np

        in_both = np.intersect1d(photo[rows[part[rows] == 0]], photo[rows[part[rows] == 2]])
        times, there = (counted(len(each), "time") for each in (np.unique(photo[rows]), in_both))
        message = (
            f"near duplicates across splits: {times} the same photo stands in two splits or more as different files "
            f"({counted(len(rows), 'sample')}; {there} in train and test). Give copies one group, or keep one of each."
        )
        return self._finding(snapshot, photo, rows, message)

    def _finding(self, snapshot: Snapshot, photo: NDArray[np.int64], rows: NDArray[np.int64], message: str) -> Finding:
        import numpy as np

        from totalml.quality.columns import shown_ids

        # Side by side, so that the list shows what belongs together.
        together = rows[np.argsort(photo[rows], kind="stable")]
        return Finding("NearDuplicates", self.level, message, shown_ids(snapshot.samples, together))


def _differs(photo: NDArray[np.int64], value: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(N,) whether the files of a sample's photo do not all have the same value."""
    import numpy as np

    _, inverse = np.unique(photo, return_inverse=True)
    least, most = np.full(len(photo), np.iinfo(np.int64).max), np.full(len(photo), -1)
    np.minimum.at(least, inverse, value)
    np.maximum.at(most, inverse, value)
    different: NDArray[np.bool_] = (least != most)[inverse]
    return different


def _photos(photo: NDArray[np.int64], rows: NDArray[np.int64]) -> str:
    import numpy as np

    count = len(np.unique(photo[rows]))
    return f"{count} photo has" if count == 1 else f"{count} photos have"
