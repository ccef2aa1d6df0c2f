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

    from totalml.evaluation.arrays import Ints
    from totalml.evaluation.slices.record import Slices

    Bools = NDArray[np.bool_]

Group = tuple[str, str]  # column, value
Where = tuple[Group, ...]

CONFIDENCE = 0.95
ERROR_RATE = 0.05  # chance that any group at all is called better or worse where none is


@dataclass(frozen=True)
class SliceChange:
    """Args:
    name: in words.
    where: column -> value.
    before, after: accuracy of the two runs.
    gained, lost: samples that only the new one, only the old one gets right.
    change: after - before; its bounds hold for all groups at once.
    p: chance of such a change between models equally good on the group, corrected for the number of groups.
    """

    name: str
    where: dict[str, str]
    count: int
    before: float
    after: float
    gained: int
    lost: int
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
    """

    all: tuple[SliceChange, ...]
    apart: tuple[str, ...]

    def clear(self) -> list[SliceChange]:
        return [change for change in self.all if change.clear]

    def closest(self, count: int) -> list[SliceChange]:
        """Those least likely by chance, the most harmed first."""
        likely = sorted(self.all, key=lambda one: (one.p, -abs(one.change.value or 0.0)))[:count]
        return [change for change in self.all if change in likely]


def slice_changes(before: pa.Table, after: pa.Table, named: Sequence[Slices | None]) -> SliceChanges:
    """Args:
    before, after: predictions of the same samples in the same order.
    named: what each run found; a combination that both name is compared like a group of one column.
    """
    import numpy as np

    same, apart = _same_groups(before, after)
    wheres = [((column, value),) for column, value in same] + _combinations(named, same)
    inside = {where: np.logical_and.reduce([same[group] for group in where]) for where in wheres}
    changes = _judged({where: mask for where, mask in inside.items() if mask.any()}, _right(before), _right(after))
    return SliceChanges(tuple(sorted(changes, key=lambda one: (one.change.value or 0.0, one.name))), apart)


def _same_groups(before: pa.Table, after: pa.Table) -> tuple[dict[Group, Bools], tuple[str, ...]]:
    """Which samples are in each group that both runs cut alike; and the columns that have no such group."""
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
    cut = {column for column, _ in same}
    return dict(sorted(same.items())), tuple(sorted((old.keys() | new.keys()) - cut))


def _combinations(named: Sequence[Slices | None], same: Mapping[Group, Bools]) -> list[Where]:
    """The combinations that every run names, of groups that are the same in both."""
    found = [{tuple(sorted(one.where.items())) for one in slices.found} if slices else set() for slices in named]
    both = sorted(set.intersection(*found))
    return [where for where in both if len(where) > 1 and all(group in same for group in where)]


def _right(predictions: pa.Table) -> Bools:
    import numpy as np
    import pyarrow.compute as pc

    return np.array(pc.equal(predictions["label"], predictions["predicted"]).to_pylist(), np.bool_)


def _judged(inside: Mapping[Where, Bools], was: Bools, now: Bools) -> Iterator[SliceChange]:
    import numpy as np

    from totalml.evaluation.columns import in_words
    from totalml.evaluation.shares import chance_as_uneven, holm, paired_bounds, z_of

    def counted(which: Bools) -> Ints:
        return np.array([int((mask & which).sum()) for mask in inside.values()], np.int64)

    count, gained, lost = counted(np.ones_like(was)), counted(now & ~was), counted(was & ~now)
    low, high = paired_bounds(gained, lost, count, z_of(CONFIDENCE, len(inside)))
    corrected = holm(chance_as_uneven(gained, lost))
    for place, (where, mask) in enumerate(inside.items()):
        right = int((mask & was).sum())
        gains, losses, samples = int(gained[place]), int(lost[place]), int(count[place])
        yield SliceChange(
            name=" and ".join(in_words(*group) for group in where),
            where=dict(where),
            count=samples,
            before=right / samples,
            after=(right + gains - losses) / samples,
            gained=gains,
            lost=losses,
            change=Interval((gains - losses) / samples, float(low[place]), float(high[place])),
            p=float(corrected[place]),
        )
