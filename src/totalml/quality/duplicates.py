"""Do samples repeat each other's content?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from totalml.kinds import Check
from totalml.quality.report import Finding
from totalml.recipe import Share

if TYPE_CHECKING:
    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits


class Duplicates(Check):
    """Counts samples whose bytes another sample has already brought, and tells where their labels disagree."""

    max_share: Share = 0.0
    level: Literal["warn", "stop"] = "warn"

    def findings(self, snapshot: Snapshot, splits: Splits) -> Iterator[Finding]:
        import numpy as np

        from totalml.quality.columns import codes, shown_ids
        from totalml.values.shown import some_of

        content = codes(snapshot.samples["blob"])
        rows = np.flatnonzero(content >= 0)
        _, first, copy_of = np.unique(content[rows], return_index=True, return_inverse=True)
        original = rows[first][copy_of]
        copies = rows != original
        share = copies.sum() / max(1, len(rows))
        if share <= self.max_share:
            return
        label = codes(snapshot.samples["label"])
        disagree = int((label[rows[copies]] != label[original[copies]]).sum())
        message = (
            f"{some_of(int(copies.sum()), len(rows), 'samples', f'({share:.1%}) repeat')} the content of another one, "
            f"more than max_share {self.max_share:g}; {disagree} of them {'carries' if disagree == 1 else 'carry'} "
            "another label than the first. Remove the copies."
        )
        yield Finding("Duplicates", self.level, message, shown_ids(snapshot.samples, rows[copies]))
