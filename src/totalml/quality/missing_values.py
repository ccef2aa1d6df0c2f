"""Are values missing from the table?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from totalml.component import Items
from totalml.kinds import Check
from totalml.quality.report import Finding
from totalml.recipe import Share
from totalml.target import closest

if TYPE_CHECKING:
    import pyarrow

    from totalml.data.snapshot import Snapshot
    from totalml.data.split import Splits


class MissingValues(Check):
    """Counts nulls and NaN, column by column."""

    max_share: Share = 0.0
    columns: Items[str] = ()  # of the metadata, or `label`; empty: all of them
    level: Literal["warn", "stop"] = "warn"

    def findings(self, snapshot: Snapshot, splits: Splits) -> Iterator[Finding]:
        columns: dict[str, pyarrow.ChunkedArray] = {
            "label": snapshot.samples["label"],
            **{name: snapshot.metadata[name] for name in snapshot.metadata.column_names},
        }
        for name in self.columns or columns:
            if name in columns:
                yield from self._look_at(name, columns[name], snapshot.samples)
            else:
                close = closest(name, columns)
                mend = f"did you mean {close!r}?" if close else f"the columns are {sorted(columns)}."
                yield Finding("MissingValues", "stop", f"the snapshot has no column {name!r}; {mend}")

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
