"""Look back from every row of a table at earlier rows of the same entity, all rows at once.

Rows are sorted by entity and time once; where a time lies is then found by bisection. No loop runs over rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from totalml.data.arrays import nan_where_null, one_array
from totalml.data.times import as_times
from totalml.errors import FeatureError
from totalml.features.shared.windows import Windows
from totalml.target import did_you_mean
from totalml.values.shown import counted

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.kinds import SharedFeature

TIMESTAMP = "timestamp"  # of the samples
NAMED_AT_MOST = 5


class Past:
    """Rows in the order of entity, time, and since when they were known.

    Args:
        order: (N,) the row at each place of that order.
        entity: (N,) number of the entity, sorted.
        time: (N,) us since 1970, ascending within an entity.
        known: (N,) us since 1970; None: each row since its time, and no two of an entity are of one time.
    """

    def __init__(
        self,
        order: NDArray[np.int64],
        entity: NDArray[np.int64],
        time: NDArray[np.int64],
        known: NDArray[np.int64] | None = None,
    ) -> None:
        self.order, self.entity, self.time, self.known = order, entity, time, known
        # Ranks instead of times: entity and rank fit into one number, however far apart times are.
        self._moments = np.unique(time)
        self._keys = self._key(np.searchsorted(self._moments, time, "right"))

    def between(self, back_us: int, within_us: int) -> Windows:
        """Of each place the rows of its entity in (time - back - within, time - back], as known then."""
        until = self.time - back_us
        return Windows(self._upto(until - within_us), self._upto(until), self.time, self.known)

    def before(self, within_us: int) -> Windows:
        """Of each place the rows of its entity in [time - within, time), as known then."""
        begin, end = self._upto(self.time - within_us - 1), self._upto(self.time - 1)
        return Windows(begin, end, self.time, self.known)

    def begins(self) -> NDArray[np.int64]:
        """(N,) the first time of each place's entity."""
        return self.time[np.searchsorted(self.entity, self.entity, "left")]

    def in_place(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) by place -> by row."""
        by_row = np.empty_like(values)
        by_row[self.order] = values
        return by_row

    def _upto(self, time: NDArray[np.int64]) -> NDArray[np.int64]:
        """(N,) the place behind the last row of each place's entity that is no later than `time`."""
        return np.searchsorted(self._keys, self._key(np.searchsorted(self._moments, time, "right")), "right")

    def _key(self, rank: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.entity * (len(self._moments) + 1) + rank


def past_of(feature: SharedFeature, rows: pa.Table) -> Past:
    """The rows by the feature's entity, event time and known time.

    Raises: FeatureError: a column is not there, holds nothing in some rows, or two rows of an entity are of one time,
        and were known since one time.
    """
    time, entity = times(rows, feature.event_time or TIMESTAMP), entities(rows, feature.entity)
    known = times(rows, feature.known_time) if feature.known_time else None
    order = np.lexsort((time, entity) if known is None else (known, time, entity))
    past = Past(order, entity[order], time[order], None if known is None else known[order])
    same = [np.diff(each) == 0 for each in (past.entity, past.time, past.known) if each is not None]
    if len(twice := np.flatnonzero(np.logical_and.reduce(same))):
        places = order[np.stack([twice, twice + 1], axis=1)[:NAMED_AT_MOST]]
        pairs = "; ".join(" and ".join(_named(rows, pair)) for pair in places)
        of = f" of one {', '.join(feature.entity)}" if feature.entity else ""
        mend = "keep one of them" if feature.entity else "name the columns that tell them apart as its entity"
        have = "has" if len(twice) == 1 else "have"
        told = f"{counted(len(twice), 'row')}{of} {have} the same time as another"
        raise FeatureError(f"{told}: {pairs}; {mend}")
    return past


def refuse_gaps(gap: NDArray[np.bool_], lag: int, past: Past, rows: pa.Table) -> None:
    """Args:
    gap: (N,) by place, where a period is missing.
    Raises: FeatureError: there is one.
    """
    if gap.any():
        count = "1 row has" if gap.sum() == 1 else f"{gap.sum()} rows have"
        told = f"{count} no value {lag} period{'s' * (lag != 1)} before: {_some(rows, past.order[gap])}"
        raise FeatureError(f"{told}; mend the source, or set missing: nan or zero")


def times(rows: pa.Table, name: str) -> NDArray[np.int64]:
    """(N,) us since 1970, of times, dates or ISO 8601; without a zone in UTC.

    Raises: FeatureError: no such column, it holds no times, or some are missing.
    """
    import pyarrow as pa

    column = column_of(rows, name)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        raise FeatureError(f"column {name!r} holds {column.type}, not times")
    try:
        moments = as_times(pa.chunked_array([column]), None)
    except ValueError as error:  # of which Arrow's are
        raise FeatureError(f"column {name!r} holds no times: {error}") from error
    if moments.null_count:
        told = "its samples have no timestamp" if name == TIMESTAMP else f"{name!r} is empty"
        raise FeatureError(
            f"{told} in {counted(moments.null_count, 'row')}: {_some(rows, _empty(moments.combine_chunks()))}"
        )
    return moments.cast(pa.int64()).to_numpy()


def entities(rows: pa.Table, names: Sequence[str]) -> NDArray[np.int64]:
    """(N,) a number for each combination of values. Raises: FeatureError: no such column, or a value is missing."""
    code = np.zeros(len(rows), np.int64)
    for name in names:
        column = column_of(rows, name)
        if column.null_count:
            raise FeatureError(
                f"{name!r} is empty in {counted(column.null_count, 'row')}: {_some(rows, _empty(column))}"
            )
        found = column.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
        # Numbered anew each time, so that the product of many columns fits into an int64.
        code = np.unique(code * (found.max(initial=0) + 1) + found, return_inverse=True)[1].astype(np.int64)
    return code


def column_of(rows: pa.Table, name: str) -> pa.Array:
    """Raises: FeatureError: no such column."""
    # The list of all names takes as long as the column, and is only for a mistake.
    if rows.schema.get_field_index(name) < 0 and name not in (known := rows.column_names):
        hint = did_you_mean(name, known) or f"; there are: {', '.join(known)}"
        raise FeatureError(f"the rows have no column {name!r}{hint}")
    return one_array(rows[name])


def numbers(rows: pa.Table, name: str) -> NDArray[np.float64]:
    """(N,) NaN where missing. Raises: FeatureError: no such column, or it holds no numbers."""
    import pyarrow as pa

    column = column_of(rows, name)
    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise FeatureError(f"column {name!r} holds {kind}, not numbers")
    return nan_where_null(column)


def _empty(column: pa.Array) -> NDArray[np.int64]:
    return np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))


def _some(rows: pa.Table, places: NDArray[np.int64]) -> str:
    return ", ".join(_named(rows, np.sort(places)[:NAMED_AT_MOST])) + (", ..." if len(places) > NAMED_AT_MOST else "")


def _named(rows: pa.Table, places: NDArray[np.int64]) -> list[str]:
    """By their ids, or by their numbers from 1."""
    if "id" in rows.column_names:
        return [repr(id_) for id_ in rows["id"].take(places).to_pylist()]
    return [f"row {place + 1}" for place in places.tolist()]
