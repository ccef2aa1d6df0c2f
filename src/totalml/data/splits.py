"""The three parts of a snapshot: which of its samples are learnt from, chosen by, and judged on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from totalml.data.snapshot import Snapshot

    Rows = np.ndarray[Any, np.dtype[np.int64]]

NAMES = ("train", "validation", "test")


@dataclass(frozen=True)
class Splits:
    """Row numbers of the snapshot, (n,) int64 each, ascending."""

    train: Rows
    validation: Rows
    test: Rows

    @property
    def sizes(self) -> dict[str, int]:
        """split -> samples, unlabelled ones too."""
        return {name: len(getattr(self, name)) for name in NAMES}

    def counts(self, snapshot: Snapshot) -> dict[str, dict[str, int]]:
        """label -> split -> samples; unlabelled samples do not count."""
        labels = snapshot.samples["label"]
        counts = {name: _counts(labels.take(getattr(self, name))) for name in NAMES}
        every = sorted({label for split in counts.values() for label in split})
        return {label: {name: counts[name].get(label, 0) for name in NAMES} for label in every}


def split_table(splits: Splits, snapshot: Snapshot) -> list[tuple[str, ...]]:
    """Header, a row per label with counts and shares, and the sum, as text to print."""
    counts = splits.counts(snapshot)
    sums = splits.sizes
    rows = [(label, *(_cell(split[name], sum(split.values())) for name in NAMES)) for label, split in counts.items()]
    head = ("label" if rows else "", *NAMES)
    return [head, *rows, ("all", *(_cell(sums[name], sum(sums.values())) for name in NAMES))]


def _counts(labels: pa.ChunkedArray) -> dict[str, int]:
    pairs = labels.drop_null().value_counts().to_pylist()
    return {pair["values"]: pair["counts"] for pair in pairs}


def _cell(count: int, whole: int) -> str:
    return f"{count} ({count / whole:.0%})"
