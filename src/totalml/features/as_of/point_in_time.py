"""Join to each row of a table what was known of its entity at its time.

A value counts if both its event and its becoming known lie at or before the row's time: among those the latest event,
and of one event what was known latest. So a correction that came late counts from when it came on, and a model never
learns from what nobody knew yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from totalml.features.as_of.entities import Entities
from totalml.features.as_of.mistakes import mistakes, stop_for, too_short, unlike
from totalml.features.as_of.timelines import Timelines, times_us

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_NO_JOIN = "the tables cannot be joined as of a time"
BATCH = 1 << 16  # rows: what is looked up of them at a time stays in the processor's cache


def join(
    left: pa.Table,
    right: pa.Table,
    by: Sequence[str],
    left_time: str,
    event_time: str,
    known_time: str | None,
    columns: Sequence[str],
    ttl_us: int | None,
) -> pa.Table:
    """The columns of the right table, a row for each row of the left one, in its order; null where nothing was known.

    Args:
        left: with the columns `by` and `left_time`; a null in one of them: nothing is known.
        right: with the columns `by`, the two times and `columns`, in any order; a row with a null in an entity column
            or a time never counts. Of rows that are alike in entity and both times the later one of the table counts.
        by: names of the entity columns in both tables: text, or numbers; none: all rows are of one entity.
        left_time: timestamps, dates, or whole microseconds since 1970; without a zone in UTC. The other times alike.
        known_time: None: an event is known when it happens.
        ttl_us: an event that is older by more microseconds is too old to count; None: none is.
    Raises: FeatureError: columns that are missing or of a wrong type, all of them at once; a time or an entity that
        cannot be compared.
    """
    import pyarrow as pa

    as_of = AsOf(right, by, event_time, known_time, columns, ttl_us, left=(left.schema, left_time))
    return pa.Table.from_batches(
        (as_of.values(batch, left_time) for batch in left.to_batches(max_chunksize=BATCH)), as_of.schema
    )


def join_batches(
    left: Iterable[pa.RecordBatch],
    right: pa.Table,
    by: Sequence[str],
    left_time: str,
    event_time: str,
    known_time: str | None,
    columns: Sequence[str],
    ttl_us: int | None,
) -> Iterator[pa.RecordBatch]:
    """As `join`, with a batch of values for each batch of the left table, of as many rows.

    Only the right table and one batch are held in memory. What is wrong with the right table is told at once, what is
    wrong with a batch when its turn comes.
    """
    as_of = AsOf(right, by, event_time, known_time, columns, ttl_us)
    return (as_of.values(batch, left_time) for batch in left)


class AsOf:
    """A table that can be asked what was known; its arguments are those of `join`."""

    def __init__(
        self,
        right: pa.Table,
        by: Sequence[str],
        event_time: str,
        known_time: str | None,
        columns: Sequence[str],
        ttl_us: int | None,
        left: tuple[pa.Schema, str] | None = None,
    ) -> None:
        import pyarrow as pa

        times = [event_time] if known_time is None else [event_time, known_time]
        self._right = right.schema
        wrong = mistakes("the right table", right.schema, by, times, columns)
        wrong += [] if left is None else self._mistakes_of(*left, by)
        stop_for(wrong + too_short(ttl_us), _NO_JOIN)
        self._ttl_us = ttl_us
        self._values = right.select(list(columns)).combine_chunks()
        self.schema = pa.schema([field.with_nullable(True) for field in self._values.schema])
        self._entities = Entities.of(right, by)
        read = [times_us(right[name], name) for name in times]
        numbers = np.where(np.logical_and.reduce([there for _, there in read]), self._entities.numbers(right), -1)
        self._timelines = Timelines(numbers, read[0][0], read[-1][0], len(self._entities))

    def rows(self, left: pa.Table | pa.RecordBatch, left_time: str) -> NDArray[np.int64]:
        """(N,) the row of the right table that each row of the left one is given; -1: none."""
        stop_for(self._mistakes_of(left.schema, left_time, self._entities.names), _NO_JOIN)
        times, there = times_us(left[left_time], left_time)
        return self._timelines.rows_at(np.where(there, self._entities.numbers(left), -1), times, self._ttl_us)

    def values(self, left: pa.Table | pa.RecordBatch, left_time: str) -> pa.RecordBatch:
        """What `join` gives of these rows."""
        import pyarrow as pa

        rows = self.rows(left, left_time)
        wanted = pa.array(rows, mask=rows < 0)
        taken = [column.take(wanted).combine_chunks() for column in self._values.columns]
        return pa.RecordBatch.from_arrays(taken, schema=self.schema)

    def _mistakes_of(self, left: pa.Schema, time: str, by: Sequence[str]) -> list[str]:
        return mistakes("the left table", left, by, [time], []) + unlike(by, left, self._right)
