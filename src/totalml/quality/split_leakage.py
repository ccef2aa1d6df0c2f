"""Does the model see in training what it is tested on?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from totalml.kinds import Check
from totalml.quality.report import Finding
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits


class SplitLeakage(Check):
    """Looks for the same content, or the same group, in two splits."""

    level: Literal["warn", "stop"] = "stop"

    def findings(self, snapshot: Snapshot, splits: Splits) -> Iterator[Finding]:
        mends = {
            "blob": ("content", "Give equal samples one group, or remove the copies."),
            "group": (
                "group",
                "Split by hash or time, which keep groups together, or correct the split column.",
            ),
        }
        for column, (what, mend) in mends.items():
            yield from self._look_at(snapshot, splits, column, what, mend)

    def _look_at(self, snapshot: Snapshot, splits: Splits, column: str, what: str, mend: str) -> Iterator[Finding]:
        import numpy as np

        from totalml.quality.columns import codes, shown_ids

        code = codes(snapshot.samples[column])
        seen = np.zeros((code.max(initial=-1) + 1, 3), bool)
        parts = [rows[code[rows] >= 0] for rows in (splits.train, splits.validation, splits.test)]
        for part, rows in enumerate(parts):
            seen[code[rows], part] = True
        shared = seen.sum(axis=1) > 1
        rows = np.sort(np.concatenate([part[shared[code[part]]] for part in parts]))
        if len(rows):
            in_train = int((seen[shared, 0] & seen[shared, 2]).sum())
            message = (
                f"{counted(shared.sum(), 'time')} the same {what} stands in two splits or more "
                f"({counted(len(rows), 'sample')}; "
                f"{counted(in_train, 'time')} in train and test). {mend}"
            )
            # Side by side, so that the list shows what belongs together.
            together = rows[np.argsort(code[rows], kind="stable")]
            yield Finding("SplitLeakage", self.level, message, shown_ids(snapshot.samples, together))
