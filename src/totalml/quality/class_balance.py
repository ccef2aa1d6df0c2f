"""Is any class too rare to be learnt?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from totalml.kinds import Check
from totalml.quality.report import Finding
from totalml.recipe import Share

if TYPE_CHECKING:
    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits


class ClassBalance(Check):
    """Counts the labelled samples of the whole snapshot, class by class."""

    min_share: Share = 0.05
    min_count: Annotated[int, Field(ge=0)] = 10
    level: Literal["warn", "stop"] = "warn"

    def findings(self, snapshot: Snapshot, splits: Splits) -> Iterator[Finding]:
        from totalml.quality.columns import value_counts

        counts = value_counts(snapshot.samples["label"])
        total = sum(counts.values())
        for label, count in sorted(counts.items()):
            limits = self._missed(count, total)
            if limits:
                message = (
                    f"class {label!r} has {count} of {total} samples ({count / total:.1%}), fewer than {limits}. "
                    "Add samples of it, leave it out with data.labels, or set training.balance_classes: true."
                )
                yield Finding("ClassBalance", self.level, message)

    def _missed(self, count: int, total: int) -> str:
        missed = [f"min_count {self.min_count}"] if count < self.min_count else []
        if count / total < self.min_share:
            missed.append(f"min_share {self.min_share:g}")
        return " and ".join(missed)
