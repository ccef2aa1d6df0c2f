"""Join to each row of a table what was known of its entity at its time.

A value counts if both its event and its becoming known lie at or before the row's time: among those the latest event,
and of one event what was known latest. So a correction that came late counts from when it came on, and a model never
learns from what nobody knew yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import FeatureError
from totalml.features.as_of.entities import Entities, entity_kind
from totalml.features.as_of.timelines import Timelines, is_time, times_us
from totalml.target import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

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
        times = [event_time] if known_time is None else [event_time, known_time]
        self._right = right.schema
        wrong = _wrong("right", right.schema, by, times, columns)
        wrong += [] if left is None else self._wrong_left(*left, by)
        if ttl_us is not None and ttl_us < 0:
            wrong.append(f"ttl_us is {ttl_us}; it must be 0 or more, or None")
        _stop(wrong)
        self._ttl_us = ttl_us
        self._values = right.select(list(columns)).combine_chunks()
        self.schema = self._values.schema
        self._entities = Entities.of(right, by)
        read = [times_us(right[name], name) for name in times]
        numbers = np.where(np.logical_and.reduce([there for _, there in read]), self._entities.numbers(right), -1)
        self._timelines = Timelines(numbers, read[0][0], read[-1][0], len(self._entities))

    def rows(self, left: pa.Table | pa.RecordBatch, left_time: str) -> NDArray[np.int64]:
        """(N,) the row of the right table that each row of the left one is given; -1: none."""
        _stop(self._wrong_left(left.schema, left_time, self._entities.names))
        times, there = times_us(left[left_time], left_time)
        return self._timelines.rows_at(np.where(there, self._entities.numbers(left), -1), times, self._ttl_us)

    def values(self, left: pa.Table | pa.RecordBatch, left_time: str) -> pa.RecordBatch:
        """What `join` gives of these rows."""
        import pyarrow as pa

        rows = self.rows(left, left_time)
        wanted = pa.array(rows, mask=rows < 0)
        taken = [column.take(wanted).combine_chunks() for column in self._values.columns]
        return pa.RecordBatch.from_arrays(taken, schema=self.schema)

    def _wrong_left(self, schema: pa.Schema, time: str, by: Sequence[str]) -> list[str]:
        both = [name for name in by if schema.names.count(name) == self._right.names.count(name) == 1]
        kinds = {name: (schema.field(name).type, self._right.field(name).type) for name in both}
        return _wrong("left", schema, by, [time], []) + [
            f"entity column {name!r} is {left} on the left and {right} on the right; make it text in both"
            for name, (left, right) in kinds.items()
            if {"text", "numbers"} == {entity_kind(left), entity_kind(right)}
        ]


def _wrong(table: str, schema: pa.Schema, by: Sequence[str], times: Sequence[str], others: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys([*by, *times, *others]))
    wrong = [
        f"the {table} table has no column {name!r}{did_you_mean(name, schema.names)}"
        for name in names
        if name not in schema.names
    ]
    wrong += [
        f"the {table} table has {count} columns {name!r}; rename or drop the others"
        for name in names
        if (count := schema.names.count(name)) > 1
    ]
    kinds = {name: schema.field(name).type for name in names if schema.names.count(name) == 1}
    wrong += [
        f"entity column {name!r} of the {table} table is {kinds[name]}; make it text or whole numbers"
        for name in by
        if name in kinds and entity_kind(kinds[name]) is None
    ]
    wrong += [
        f"{name!r} of the {table} table is {kinds[name]}; make it timestamps, dates, or microseconds since 1970"
        for name in dict.fromkeys(times)
        if name in kinds and not is_time(kinds[name])
    ]
    return wrong


def _stop(wrong: Sequence[str]) -> None:
    if wrong:
        raise FeatureError("\n".join(["tables cannot be joined as of a time:", *(f"  {one}" for one in wrong)]))
