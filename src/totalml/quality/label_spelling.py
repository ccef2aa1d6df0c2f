"""Is one label, or one group, written in several ways?"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from totalml.kinds import Check
from totalml.quality.report import Finding

if TYPE_CHECKING:
    import pyarrow

    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits

_MENDS = {
    "label": "Write them alike, or bring them together: data.labels={{{0!r}: {1}, ...}} with every other label: []",
    "group": "Write them alike in the source, or one group stands in two splits",
}


class LabelSpelling(Check):
    """Compares labels, and groups, without capitals, spaces and invisible letters."""

    level: Literal["warn", "stop"] = "warn"

    def findings(self, snapshot: Snapshot, splits: Splits) -> Iterator[Finding]:
        import pyarrow.compute as pc

        samples = snapshot.samples
        named = samples.filter(pc.not_equal(samples["group"], samples["id"]))  # else a sample is its own group
        for what, rows in (("label", samples), ("group", named)):
            yield from self._alike(what, rows)

    def _alike(self, what: str, samples: pyarrow.Table) -> Iterator[Finding]:
        import pyarrow as pa
        import pyarrow.compute as pc

        from totalml.quality.columns import shown_ids, value_counts

        counts = value_counts(samples[what])
        alike = defaultdict(list)
        for name in sorted(counts, key=lambda name: (-counts[name], name)):
            alike[_bare(name)].append(name)
        for names in (names for names in alike.values() if len(names) > 1):
            told = ", ".join(f"{name!r} ({counts[name]} sample{'s' * (counts[name] > 1)})" for name in names)
            message = (
                f"the {what}s {told} differ only in capitals, spaces or invisible letters. "
                f"{_MENDS[what].format(names[0], names[1:])}."
            )
            rare = pc.indices_nonzero(pc.is_in(samples[what], pa.array(names[1:]))).to_pylist()
            yield Finding("LabelSpelling", self.level, message, shown_ids(samples, rare))


def _bare(name: str) -> str:
    """What people see: compatible letters as one, no capitals, no invisible letters, one space for any."""
    seen = (letter for letter in unicodedata.normalize("NFKC", name) if unicodedata.category(letter) != "Cf")
    return " ".join("".join(seen).casefold().split())
