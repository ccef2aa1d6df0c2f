"""Are values missing from the table?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from totalml.component import Items
from totalml.kinds import Check
from totalml.quality.report import Finding
from totalml.recipe import Share
from totalml.target import closest

if TYPE_CHECKING:
    import numpy as np
    import pyarrow
    from numpy.typing import NDArray

    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits
    from totalml.quality.groups import Group


class MissingValues(Check):
    """Counts nulls and NaN, column by column, and looks for groups of samples that lack more than the others.

    A model could learn from the gap who a sample is from, and do without what it should look at.
    """

    max_share: Share = 0.0
    columns: Items[str] = ()  # of the metadata, or `label`; empty: all of them
    by: Items[str] = ()  # columns whose groups are compared; empty: none
    min_group: Annotated[int, Field(ge=5)] = 20  # samples of a group that is judged
    min_gap: Annotated[float, Field(gt=0, lt=1)] = 0.1  # of missing shares, between a group and the others
    significance: Annotated[float, Field(gt=0, lt=1)] = 0.01  # after correction for all groups and columns
    level: Literal["warn", "stop"] = "warn"

    def findings(self, snapshot: Snapshot, splits: Splits) -> Iterator[Finding]:
        columns: dict[str, pyarrow.ChunkedArray] = {
            "label": snapshot.samples["label"],
            **{name: snapshot.metadata[name] for name in snapshot.metadata.column_names},
        }
        unlabelled = columns["label"].null_count == len(columns["label"])  # the truth stands in other columns
        asked = self.columns or [name for name in columns if name != "label" or not unlabelled]
        for name in asked:
            if name in columns:
                yield from self._look_at(name, columns[name], snapshot.samples)
            else:
                close = closest(name, columns)
                mend = f"did you mean {close!r}?" if close else f"the columns are {sorted(columns)}."
                yield Finding("MissingValues", "stop", f"the snapshot has no column {name!r}; {mend}")
        if self.by:
            chosen = {name: columns[name] for name in self.columns or columns if name in columns}
            yield from self._compare_groups(chosen, snapshot)

    def _look_at(self, name: str, column: pyarrow.ChunkedArray, samples: pyarrow.Table) -> Iterator[Finding]:
        import numpy as np

        from totalml.quality.columns import is_missing, shown_ids

        rows = np.flatnonzero(is_missing(column))
        share = len(rows) / max(1, len(column))
        if share > self.max_share:
            message = (
                f"column {name!r} has no value for {len(rows)} of {len(column)} samples ({share:.1%}), "
                f"more than max_share {self.max_share:g}. Fill them in or raise max_share."
            )
            yield Finding("MissingValues", self.level, message, shown_ids(samples, rows))

    def _compare_groups(self, columns: dict[str, pyarrow.ChunkedArray], snapshot: Snapshot) -> Iterator[Finding]:
        from totalml.quality.columns import is_missing, shown_ids
        from totalml.quality.groups import UnknownColumn, columns_by, corrected, groups_of

        try:
            groups = [group for by in columns_by(snapshot, self.by) for group in groups_of(by, self.min_group)]
        except UnknownColumn as error:
            yield Finding("MissingValues", "stop", str(error))
            return
        missing = {name: is_missing(column) for name, column in columns.items()}
        judged = [(name, group, *_shares(missing[name], group)) for name in columns for group in groups]
        chances = corrected([chance for *_, chance in judged])
        for (name, group, inside, outside, _), chance in zip(judged, chances, strict=True):
            if inside - outside >= self.min_gap and chance <= self.significance:
                message = (
                    f"column {name!r} has no value for {inside:.1%} of the {len(group.rows)} samples of {group.words}, "
                    f"against {outside:.1%} of the others (p = {chance:.2g} after correction for {len(judged)} "
                    "comparisons). Fill them in, or leave the column out."
                )
                lacking = group.rows[missing[name][group.rows]]
                yield Finding("MissingValues", self.level, message, shown_ids(snapshot.samples, lacking))


def _shares(missing: NDArray[np.bool_], group: Group) -> tuple[float, float, float]:
    """Missing shares in the group and outside it, and the chance of so many in the group by luck (hypergeometric)."""
    from totalml.quality.groups import upper_tail

    count, inside = len(missing), len(group.rows)
    total, own = int(missing.sum()), int(missing[group.rows].sum())
    expected = inside * total / count
    variance = expected * (count - total) / count * (count - inside) / max(count - 1, 1)
    chance = upper_tail((own - expected - 0.5) / variance**0.5) if variance else 1.0
    return own / inside, (total - own) / (count - inside), chance
