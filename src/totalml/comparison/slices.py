"""The groups of test samples that one run judges better or worse than another, each on the very same samples.

Only groups that both runs looked at are compared: choosing those that one of them did badly on would make the other
look better by chance alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from totalml.evaluation.interval import Interval

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.evaluation.arrays import Floats
    from totalml.evaluation.record import Evaluation
    from totalml.evaluation.slices.record import Slices

    Bools = NDArray[np.bool_]
    Bounds = tuple[Floats, Floats, Floats]

Group = tuple[str, str]  # column, value
Where = tuple[Group, ...]

CONFIDENCE = 0.95
ERROR_RATE = 0.05  # chance that any group at all is called better or worse where none is


@dataclass(frozen=True)
class SliceChange:
    """Args:
    name: in words.
    where: column -> value.
    before, after: the headline figure of the two runs.
    gained, lost: samples that only the new one, only the old one gets right; or answers better.
    step: by how much the new one is better, on average.
    change: the same with bounds, which hold for all groups at once.
    p: chance of such a change between models equally good on the group, corrected for the number of groups.
    """

    name: str
    where: dict[str, str]
    count: int
    before: float
    after: float
    gained: int
    lost: int
    step: float
    change: Interval
    p: float

    @property
    def clear(self) -> bool:
        return self.p <= ERROR_RATE

    @property
    def better(self) -> bool:
        return self.clear and self.gained > self.lost

    @property
    def worse(self) -> bool:
        return self.clear and self.lost > self.gained


@dataclass(frozen=True)
class SliceChanges:
    """Args:
    all: every group that both runs looked at, the most harmed first.
    apart: columns that only one of them cut into groups, or cut otherwise.
    small: columns of which no group had enough samples in either.
    figure: what is compared.
    """

    all: tuple[SliceChange, ...]
    apart: tuple[str, ...]
    figure: str = "accuracy"
    small: tuple[str, ...] = ()

    def clear(self) -> list[SliceChange]:
        return [change for change in self.all if change.clear]

    def closest(self, count: int) -> list[SliceChange]:
        """Those least likely by chance, the most harmed first."""
        likely = sorted(self.all, key=lambda one: (one.p, -abs(one.step)))[:count]
        return [change for change in self.all if change in likely]


def slice_changes(before: Evaluation, after: Evaluation) -> SliceChanges:
    """Args:
    before, after: of the same samples in the same order; a combination that both found is compared like a group.
    """
    import numpy as np

    same, apart, small = _same_groups(before.predictions, after.predictions)
    wheres = [((column, value),) for column, value in same] + _combinations((before.slices, after.slices), same)
    inside = {where: np.logical_and.reduce([same[group] for group in where]) for where in wheres}
    inside = {where: mask for where, mask in inside.items() if mask.any()}
    changes = _judged(inside, before, after) if inside else ()
    return SliceChanges(tuple(sorted(changes, key=lambda one: (one.step, one.name))), apart, after.headline, small)


def _same_groups(before: pa.Table, after: pa.Table) -> tuple[dict[Group, Bools], tuple[str, ...], tuple[str, ...]]:
    """Which samples are in each group that both runs cut alike; the columns that have no such group, and of these apart
    the ones of which neither run had a group that was large enough."""
    import numpy as np

    from totalml.evaluation.slices.membership import groups_of

    old, new = (
        {name: np.array(values.to_pylist(), object) for name, values in groups_of(table).items()}
        for table in (before, after)
    )
    same: dict[Group, Bools] = {}
    for column in old.keys() & new.keys():
        for value in sorted(set(old[column]) - {None}):
            if ((inside := old[column] == value) == (new[column] == value)).all():
                same[column, value] = inside
    uncut = (old.keys() | new.keys()) - {column for column, _ in same}
    small = {each for each in old.keys() & new.keys() & uncut if {*old[each], *new[each]} <= {None}}
    return dict(sorted(same.items())), tuple(sorted(uncut - small)), tuple(sorted(small))


def _combinations(named: Sequence[Slices | None], same: Mapping[Group, Bools]) -> list[Where]:
    """The combinations that every run names, of groups that are the same in both."""
    found = [{tuple(sorted(one.where.items())) for one in slices.found} if slices else set() for slices in named]
    both = sorted(set.intersection(*found))
    return [where for where in both if len(where) > 1 and all(group in same for group in where)]


def _judged(inside: Mapping[Where, Bools], old: Evaluation, new: Evaluation) -> Iterator[SliceChange]:
    import numpy as np

    from totalml.evaluation.columns import in_words

    was, now = new.scores_of(old), new.sample_scores()
    masks = np.stack([*inside.values()]).astype(np.float64)
    count = masks.sum(axis=1)
    gained, lost = (masks @ (one > other) for one, other in ((now, was), (was, now)))
    judged = _shares if new.headline_is_share and np.isin([was, now], (0, 1)).all() else _means
    low, high, chance = judged(masks, now - was, gained, lost, count)
    sign = -1 if new.lower_is_better else 1  # of a score, more is always better
    for place, where in enumerate(inside):
        before, after = (float(masks[place] @ scores / count[place]) for scores in (was, now))
        yield SliceChange(
            name=" and ".join(in_words(*group) for group in where),
            where=dict(where),
            count=int(count[place]),
            before=sign * before,
            after=sign * after,
            gained=int(gained[place]),
            lost=int(lost[place]),
            step=after - before,
            change=Interval(after - before, float(low[place]), float(high[place])),
            p=float(chance[place]),
        )


def _shares(masks: Floats, steps: Floats, gained: Floats, lost: Floats, count: Floats) -> Bounds:
    """Bounds for all groups at once, and the corrected chance; exact, of pairs of right and wrong."""
    import numpy as np

    from totalml.evaluation.shares import chance_as_uneven, holm, paired_bounds, z_of

    gains, losses, samples = (each.astype(np.int64) for each in (gained, lost, count))
    low, high = paired_bounds(gains, losses, samples, z_of(CONFIDENCE, len(masks)))
    return low, high, holm(chance_as_uneven(gains, losses))


def _means(masks: Floats, steps: Floats, gained: Floats, lost: Floats, count: Floats) -> Bounds:
    """The same of steps of any size; the chance is that of the sign test, which no skew deceives."""
    import numpy as np

    from totalml.evaluation.shares import chance_as_uneven, holm, z_of

    mean = masks @ steps / count
    variance = np.maximum(masks @ steps**2 / count - mean**2, 0) / np.maximum(count - 1, 1)
    reach = z_of(CONFIDENCE, len(masks)) * np.sqrt(variance)
    return mean - reach, mean + reach, holm(chance_as_uneven(gained.astype(np.int64), lost.astype(np.int64)))
