"""Do the labels of some group contradict those of samples that look like theirs?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field

from totalml.component import Items
from totalml.kinds import PictureCheck
from totalml.quality.report import Finding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits
    from totalml.quality.groups import Column, Group
    from totalml.quality.pictures import Pictures


class LabelAgreement(PictureCheck):
    """Guesses each label from the samples of other groups, and compares how often a group contradicts its guesses.

    The guess is a linear one from the picture in grey at 16 x 16 px and the numbers of the table: it is often wrong,
    but no more so for one group than for another unless that group was labelled otherwise, or shows something else.
    """

    by: Items[str] = ()  # columns whose groups are compared; empty: every column of text or true/false
    min_group: Annotated[int, Field(ge=5)] = 10  # samples of a group that is judged
    min_gap: Annotated[float, Field(gt=0, lt=1)] = 0.25  # of contradictions, above what other groups lead to expect
    significance: Annotated[float, Field(gt=0, lt=1)] = 0.01  # after correction for the number of groups
    level: Literal["warn", "stop"] = "warn"

    def findings(self, snapshot: Snapshot, splits: Splits, pictures: Pictures) -> Iterator[Finding]:
        import numpy as np

        from totalml.quality.appearance import appearance
        from totalml.quality.columns import codes, shown_ids
        from totalml.quality.groups import UnknownColumn, columns_by, corrected
        from totalml.quality.guesses import FEWEST_SAMPLES

        try:
            columns = columns_by(snapshot, self.by)
        except UnknownColumn as error:
            yield Finding("LabelAgreement", "stop", str(error))
            return
        label = codes(snapshot.samples["label"])
        if np.count_nonzero(label >= 0) < FEWEST_SAMPLES or len(np.unique(label[label >= 0])) < 2:
            return
        known = appearance(snapshot, pictures)
        judged = [one for column in columns for one in self._judged(column, label, known)]
        for one, chance in zip(judged, corrected([one.chance for one in judged]), strict=True):
            count, least = len(one.rows), one.expected + self.min_gap * len(one.rows)
            if len(one.contrary) >= least and chance <= self.significance:
                message = (
                    f"the labels of {one.group.words} contradict those of samples that look alike: {len(one.contrary)} "
                    f"of {count} ({len(one.contrary) / count:.0%}) where {one.expected:.1f} were expected (p = "
                    f"{chance:.2g} after correction for {len(judged)} groups). Have them labelled again, if their "
                    "pictures are like the others'."
                )
                yield Finding("LabelAgreement", self.level, message, shown_ids(snapshot.samples, one.contrary))

    def _judged(self, column: Column, label: NDArray[np.int64], known: NDArray[np.float32]) -> Iterator[_Judged]:
        from totalml.quality.groups import groups_of
        from totalml.quality.guesses import guessed_from_others

        groups = list(groups_of(column, self.min_group))
        if groups:
            contrary = guessed_from_others(known, label, column.codes) != label
            for group in groups:
                rows = group.rows[label[group.rows] >= 0]
                if len(rows) >= self.min_group and _leaves_enough(rows, label):
                    yield _judge(group, rows, label, contrary)


def _leaves_enough(rows: NDArray[np.int64], label: NDArray[np.int64]) -> bool:
    """Whether each label of the group stands as often outside it; a column that repeats the label has none such."""
    import numpy as np

    every = np.bincount(label[label >= 0])
    own = np.bincount(label[rows], minlength=len(every))
    return bool((2 * own <= every).all())


class _Judged(NamedTuple):
    """Args:
    rows: labelled ones of the group.
    contrary: those whose label contradicts the guess.
    expected: how many would, if each label were contradicted as often as in the other groups.
    """

    group: Group
    rows: NDArray[np.int64]
    contrary: NDArray[np.int64]
    expected: float
    chance: float


def _judge(group: Group, rows: NDArray[np.int64], label: NDArray[np.int64], contrary: NDArray[np.bool_]) -> _Judged:
    """Label by label, since a rare label is contradicted more often whoever gave it (Cochran-Mantel-Haenszel)."""
    import numpy as np

    from totalml.quality.groups import upper_tail

    labelled, length = label >= 0, label.max() + 1
    every = np.bincount(label[labelled], minlength=length).astype(float)
    wrong = np.bincount(label[labelled & contrary], minlength=length).astype(float)
    own = np.bincount(label[rows], minlength=length).astype(float)
    own_wrong = np.bincount(label[rows[contrary[rows]]], minlength=length).astype(float)
    rest = np.maximum(every - own, 1)
    expected = float((own * (wrong - own_wrong) / rest).sum())
    under_luck = float((own * wrong / every).sum())
    variance = float((own * (every - own) * wrong * (every - wrong) / (every**2 * np.maximum(every - 1, 1))).sum())
    z = (own_wrong.sum() - under_luck - 0.5) / max(variance, 1e-9) ** 0.5
    return _Judged(group, rows, rows[contrary[rows]], expected, upper_tail(z) if variance else 1.0)
