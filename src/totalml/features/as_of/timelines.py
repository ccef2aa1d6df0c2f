"""Find of each entity the latest row that was known at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import FeatureError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]


class Timelines:
    """The rows of entities along time.

    A row can be had from the later of its two times on. Sorted by that, the running maximum of what is newest says
    which row is the latest at any time, so corrections that came late cost a sort and not a search of their own.

    Args:
        entities: (N,) numbers of `Entities`; -1: a row that none can ask for.
        event_us, known_us: (N,) microseconds since 1970.
        count: of entities.
    """

    def __init__(self, entities: Numbers, event_us: Numbers, known_us: Numbers, count: int) -> None:
        rows = np.flatnonzero(entities >= 0)
        # Stable: of rows with equal times the later one of the table comes last, and wins.
        newest = rows[np.lexsort((known_us[rows], event_us[rows], entities[rows]))]
        had_us = np.maximum(event_us[newest], known_us[newest])
        order = np.lexsort((had_us, entities[newest]))
        self._had_us = had_us[order]
        # Rows of a later entity are all newer in this order, so no entity sees another's.
        self._rows = newest[np.maximum.accumulate(order)]
        self._event_us = event_us[self._rows]
        lengths = np.bincount(entities[rows], minlength=count)
        self._bounds = np.concatenate([[0], np.cumsum(lengths)])
        self._longest = int(lengths.max(initial=0))

    def rows_at(self, entities: Numbers, times_us: Numbers, ttl_us: int | None) -> Numbers:
        """(N,) the row of each question; -1: nothing was known.

        Args:
            entities: (N,) -1: none.
            times_us: (N,) microseconds since 1970.
            ttl_us: how old an event may be at most; None: as old as it likes.
        """
        asked = np.flatnonzero(entities >= 0)
        found = np.full(len(entities), -1, np.int64)
        before, last = self._bounds[entities[asked]] - 1, self._bounds[entities[asked] + 1] - 1
        times_us, place = times_us[asked], before
        for bit in reversed(range(self._longest.bit_length())):
            probe = np.minimum(place + (1 << bit), last)
            place = np.where(self._had_us[probe] <= times_us, probe, place)
        known = place > before
        if ttl_us is not None and len(self._rows):
            known &= young(self._event_us[place], times_us, ttl_us)
        found[asked[known]] = self._rows[place[known]]
        return found


def young(event_us: Numbers, times_us: Numbers, ttl_us: int) -> NDArray[np.bool_]:
    """Whether events that lie behind are not older than that."""
    # Without a sign, since an age may be longer than int64 holds.
    return (times_us - event_us).view(np.uint64) <= np.uint64(ttl_us)


def is_time(kind: pa.DataType) -> bool:
    import pyarrow.types as types

    return bool(types.is_timestamp(kind) or types.is_date(kind) or types.is_integer(kind))


def times_us(column: pa.Array | pa.ChunkedArray, name: str) -> tuple[Numbers, NDArray[np.bool_]]:
    """(N,) microseconds since 1970, and (N,) where there is a time at all.

    Args:
        column: timestamps, without a zone in UTC; dates; or whole microseconds since 1970.
    Raises: FeatureError: a time has parts of a microsecond, or lies too far away.
    """
    import pyarrow as pa

    try:
        if not pa.types.is_integer(column.type):
            column = column.cast(pa.timestamp("us", getattr(column.type, "tz", None)))
        column = column.cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise FeatureError(
            f"times of column {name!r} do not fit microseconds: {error}. Round them to microseconds before the join."
        ) from error
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column.fill_null(0).to_numpy(), column.is_valid().to_numpy(zero_copy_only=False)
