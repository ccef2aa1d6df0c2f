"""Are photos blurred, one by one or all of a group?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from totalml.component import Items
from totalml.kinds import PictureCheck
from totalml.quality.report import Finding
from totalml.recipe import Share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits
    from totalml.quality.groups import Group
    from totalml.quality.pictures import Pictures

LEAST_SHARPNESS = 1e-3  # of a flat picture, so that it has a logarithm
NORMAL = 1.4826  # standard deviations in the median distance from the median, of normal values


class Blur(PictureCheck):
    """Compares each picture's sharpness with the middle of all, and each group's with that of the other pictures.

    Sharpness is the deviation of the Laplacian over that of the grey values, in the square that the model sees.
    """

    deviations: Annotated[float, Field(gt=0)] = 6.0  # below the median, in robust standard deviations of the logarithm
    max_share: Share = 0.0  # of pictures that may be so blurred
    by: Items[str] = ()  # columns whose groups are compared; empty: every column of text or true/false
    min_group: Annotated[int, Field(ge=5)] = 20  # pictures of a group that is judged
    min_odds: Annotated[float, Field(ge=0.5, lt=1)] = 0.75  # that a picture of the group is less sharp than another
    significance: Annotated[float, Field(gt=0, lt=1)] = 0.01  # after correction for the number of groups
    level: Literal["warn", "stop"] = "warn"

    def findings(self, snapshot: Snapshot, splits: Splits, pictures: Pictures) -> Iterator[Finding]:
        import numpy as np

        sharpness = np.log(np.maximum(pictures.measures.sharpness, LEAST_SHARPNESS))
        if len(sharpness):
            yield from self._single(snapshot, sharpness)
            yield from self._groups(snapshot, sharpness)

    def _single(self, snapshot: Snapshot, sharpness: NDArray[np.float32]) -> Iterator[Finding]:
        import numpy as np

        from totalml.quality.columns import shown_ids
        from totalml.values.shown import some_of

        middle = float(np.median(sharpness))
        deviation = NORMAL * float(np.median(abs(sharpness - middle)))
        blurred = np.flatnonzero(sharpness < middle - self.deviations * max(deviation, 0.05))
        if len(blurred) > self.max_share * len(sharpness):
            worst_first = blurred[np.argsort(sharpness[blurred], kind="stable")]
            few = some_of(len(blurred), len(sharpness), "pictures", "are blurred")
            message = (
                f"{few}: less sharp than the middle one by {self.deviations:g} robust standard deviations or more. "
                "Look at them, and remove those that show nothing."
            )
            yield Finding("Blur", self.level, message, shown_ids(snapshot.samples, worst_first))

    def _groups(self, snapshot: Snapshot, sharpness: NDArray[np.float32]) -> Iterator[Finding]:
        from totalml.quality.columns import shown_ids
        from totalml.quality.groups import UnknownColumn, columns_by, corrected, groups_of

        try:
            columns = columns_by(snapshot, self.by)
        except UnknownColumn as error:
            yield Finding("Blur", "stop", str(error))
            return
        groups = [group for column in columns for group in groups_of(column, self.min_group)]
        rank = _ranks(sharpness)
        judged = [_less_sharp(group, rank) for group in groups]
        chances = corrected([chance for _, chance in judged])
        for group, (odds, _), chance in zip(groups, judged, chances, strict=True):
            if odds >= self.min_odds and chance <= self.significance:
                worst_first = group.rows[sharpness[group.rows].argsort(kind="stable")]
                message = (
                    f"the photos of {group.words} are blurred: {odds:.0%} of the time one of its {len(group.rows)} is "
                    f"less sharp than one of another group (p = {chance:.2g} after correction for {len(groups)} "
                    "groups). Take them again, or have the model judged on this group alone."
                )
                yield Finding("Blur", self.level, message, shown_ids(snapshot.samples, worst_first))


def _less_sharp(group: Group, rank: NDArray[np.float64]) -> tuple[float, float]:
    """The odds that a picture of the group is less sharp than one outside, and their chance by luck (Mann-Whitney)."""
    from totalml.quality.groups import upper_tail

    inside, outside = len(group.rows), len(rank) - len(group.rows)
    below = inside * outside + inside * (inside + 1) / 2 - rank[group.rows].sum()
    z = (below - inside * outside / 2 - 0.5) / (inside * outside * (len(rank) + 1) / 12) ** 0.5
    return float(below / (inside * outside)), upper_tail(float(z))


def _ranks(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N,) from 1; equal values share the mean of their ranks."""
    import numpy as np

    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: NDArray[np.float64] = (last - (counts - 1) / 2)[inverse]
    return ranks
