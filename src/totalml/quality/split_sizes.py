"""Is every split large enough to say something?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from totalml.kinds import Check
from totalml.quality.report import Finding

if TYPE_CHECKING:
    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits


class SplitSizes(Check):
    """Counts the samples of each split, and of each class in it."""

    min_count: Annotated[int, Field(ge=1)] = 20
    min_per_class: Annotated[int, Field(ge=0)] = 1
    level: Literal["warn", "stop"] = "warn"

    def findings(self, snapshot: Snapshot, splits: Splits) -> Iterator[Finding]:
        from totalml.quality.columns import value_counts

        labels = snapshot.samples["label"]
        classes = sorted(value_counts(labels))
        for name, rows in (("train", splits.train), ("validation", splits.validation), ("test", splits.test)):
            if len(rows) < self.min_count:
                yield self._too_few(f"the {name} split has {_samples(len(rows))}", f"min_count {self.min_count}")
            counts = value_counts(labels.take(rows))
            for label in classes:
                if counts.get(label, 0) < self.min_per_class:
                    what = f"the {name} split has {_samples(counts.get(label, 0))} of class {label!r}"
                    yield self._too_few(what, f"min_per_class {self.min_per_class}")

    def _too_few(self, what: str, limit: str) -> Finding:
        message = f"{what}, fewer than {limit}. Add samples or change the fractions of data.split."
        return Finding("SplitSizes", self.level, message)


def _samples(count: int) -> str:
    return f"{count} sample{'s' * (count != 1)}"
