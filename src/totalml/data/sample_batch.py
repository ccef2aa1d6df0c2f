"""Samples without pictures as columns, a piece of a table at a time: no row becomes an object of Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from totalml.data.sample import BadSample, Sample
from totalml.data.texts import normalised

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE_FIELDS = ("id", "label", "group", "timestamp")
BATCH_ROWS = 2**16


@dataclass(frozen=True)
class SampleBatch:
    """Args:
    samples: the columns of SAMPLE_FIELDS; text but for the timestamp; id is never missing. In the source's order.
    metadata: the same rows, columns of a type that a snapshot holds.
    bad: rows that stand in neither.
    """

    samples: pa.Table
    metadata: pa.Table
    bad: Sequence[BadSample] = ()

    def rows(self) -> Iterator[Sample]:
        """One by one, for whoever takes few."""
        own = self.metadata.to_pylist() if self.metadata.num_columns else [{}] * len(self.samples)
        for sample, metadata in zip(self.samples.to_pylist(), own, strict=True):
            yield Sample(image=None, metadata=metadata, **sample)

    def filter(self, mask: pa.Array) -> SampleBatch:
        own = self.metadata.filter(mask) if self.metadata.num_columns else self.metadata
        return SampleBatch(self.samples.filter(mask), own, self.bad)


def as_stored(batch: SampleBatch) -> tuple[pa.Table, pa.Table]:
    """Samples and metadata as a snapshot has them, but for the order; a column without any value has its own type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ids, label, group, timestamp = (batch.samples[name] for name in SAMPLE_FIELDS)
    ids, rows = normalised(ids), len(ids)
    samples = {
        "id": ids,
        "blob": pa.nulls(rows, pa.string()),
        "size_bytes": pa.repeat(pa.scalar(0, pa.int64()), rows),
        "label": normalised(label),
        "group": pc.coalesce(normalised(group), ids),
        "timestamp": timestamp,
        "mask": pa.nulls(rows, pa.string()),
    }
    names = sorted(batch.metadata.column_names)
    return pa.table(samples), pa.table({name: _plain(batch.metadata[name]) for name in names})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text in one Unicode form; NaN as a missing value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(column.type):
        return normalised(column)
    if pa.types.is_floating(column.type) and pc.any(unknown := pc.is_nan(column)).as_py():
        return pc.if_else(unknown, None, column)
    return column
