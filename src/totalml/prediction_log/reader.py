"""Read the log of a model, also while it is being written and rewritten: no row twice, none lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.identity import short
from totalml.segments.listing import Listing
from totalml.segments.rows import REPLICA, SEGMENT, joined, rows_of, size_of
from totalml.segments.segment import REWRITTEN, Hour, Segment
from totalml.store.local_files import FileGoneError

if TYPE_CHECKING:
    from totalml.store import Store

TIME = "time"
T = TypeVar("T")
Bounds = tuple[datetime | None, datetime | None]
Keep = Callable[[pa.Table], pa.Table]  # of the rows of a file, which of them
ATTEMPTS = 20  # each is spoilt only by a rewrite or a cleaning that came in between
SPAN = timedelta(days=1)  # a segment is of a second, unless the store could not be written


class LogReader:
    """Args:
    model: whose log it is.
    since: with a time zone; rows before it are left out, and days before it are not even listed. None: all.
        release: bundle hash; rows of others are left out, whose columns may be of other types. None: those of all.
    """

    def __init__(self, store: Store, model: str, since: datetime | None = None, release: str | None = None) -> None:
        self._store, self._model, self._since = store, model, since
        self._release = None if release is None else short(release)
        self._listing = Listing(store, model)
        self._seen: dict[str, int] = {}  # writer -> the highest number of its files that was read

    def new(self, columns: Sequence[str]) -> pa.Table:
        """Rows that no earlier call has given, in no order.

        Args: columns: as asked for, in this order; null where a release has no such column.
        Raises: StoreError: a file is damaged, or the store cannot be read; the next call gives the same rows.
        """
        return _again(lambda: self._new(columns))

    def read(
        self,
        columns: Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        keep: Keep = lambda rows: rows,
        most: int | None = None,
    ) -> pa.Table:
        """All rows with `since` <= time < `until`; what `new` gave and gives stays as it is.

        Args:
            columns: as of `new`; None: all that there are, and the segment in which a row was first written.
            since, until: with a time zone; None: no bound but the reader's own.
            keep: asked of each file, so that what it leaves out never lies in memory together.
            most: the earliest so many of those that are kept are there, and any later ones may be left out.
        """
        return _chosen(_again(lambda: self._read(columns, (since, until), keep, most)), columns)

    def each(
        self, columns: Sequence[str], of: Callable[[pa.Table], T], since: datetime | None, until: datetime | None
    ) -> list[T]:
        """What is made of the rows of each file. Args: as of `read`."""
        bounds = since, until
        return _again(lambda: [of(_chosen(self._rows(file, columns, bounds), columns)) for file in self._in(bounds)])

    def begin_of_last(self, rows: int) -> datetime | None:
        """From when on about so many of the latest rows, and hardly more, were answered; None: there are fewer."""
        for day in reversed(self._listing.days()):
            for each in reversed(self._ours(self._listing.look(day, day).counting)):
                rows -= size_of(self._store, self._model, each)[0]
                if rows <= 0:
                    return each.hour.starts
        return None

    def _read(self, columns: Sequence[str] | None, bounds: Bounds, keep: Keep, most: int | None) -> pa.Table:
        tables: list[pa.Table] = []
        last: Hour | None = None
        for file in self._in(bounds):
            if most is not None and file.hour != last and file.hour.starts > _time_of(tables, most):
                break
            tables.append(keep(self._rows(file, columns, bounds)))
            last = file.hour
        return joined(tables)

    def _rows(self, file: Segment, columns: Sequence[str] | None, bounds: Bounds) -> pa.Table:
        wanted = None if columns is None else [*dict.fromkeys((*columns, TIME))]
        return _between(rows_of(self._store, self._model, file, wanted), self._start(bounds), bounds[1])

    def _in(self, bounds: Bounds) -> list[Segment]:
        """By the hours in which they begin."""
        until = bounds[1]
        return [each for each in self._listed(self._start(bounds)) if until is None or each.hour.starts < until]

    def _start(self, bounds: Bounds) -> datetime | None:
        return max(filter(None, (bounds[0], self._since)), default=None)

    def _new(self, columns: Sequence[str]) -> pa.Table:
        seen, tables = dict(self._seen), []
        wanted = [*dict.fromkeys((*columns, TIME, REPLICA, SEGMENT))]
        for each in self._unseen():
            table = rows_of(self._store, self._model, each, wanted)
            tables.append(_between(table.filter(self._is_new(table)), self._since, None))
            _note(seen, each, table)
        self._seen = seen
        return _chosen(joined(tables), columns)

    def _unseen(self) -> list[Segment]:
        """Files that were not read yet, none without those that its writer wrote before."""
        first = self._listed_unseen()
        if not first:
            return []
        # A folder that is listed while it grows may give a file and not the one before; listed again it gives both.
        last = {each.writer: each.number for each in sorted(first, key=lambda each: each.number)}
        again = self._listed_unseen()
        return [each for each in again if each.writer == REWRITTEN or each.number <= last.get(each.writer, -1)]

    def _listed_unseen(self) -> list[Segment]:
        return [each for each in self._listed(self._since) if each.number > self._seen.get(each.writer, -1)]

    def _listed(self, since: datetime | None) -> list[Segment]:
        return self._ours(self._listing.look(_first_day(since)).counting)

    def _ours(self, listed: Sequence[Segment]) -> list[Segment]:
        return [each for each in listed if self._release in (None, each.hour.release)]

    def _is_new(self, table: pa.Table) -> pa.Array:
        seen = np.array([self._seen.get(replica, -1) for replica in table[REPLICA].to_pylist()], np.int64)
        return pa.array(table[SEGMENT].to_numpy() > seen)


def _time_of(tables: Sequence[pa.Table], count: int) -> datetime:
    """Of the last of the earliest so many rows; the latest there is, where there are fewer."""
    if sum(map(len, tables)) < count:
        return datetime.max.replace(tzinfo=UTC)
    times = pa.chunked_array([chunk for each in tables for chunk in each[TIME].chunks])
    last: datetime = times[pc.array_sort_indices(times)[count - 1].as_py()].as_py()
    return last


def _again(read: Callable[[], T]) -> T:
    """A file that was listed may have been rewritten since."""
    for _ in range(ATTEMPTS):
        with suppress(FileGoneError):
            return read()
    return read()


def _note(seen: dict[str, int], segment: Segment, table: pa.Table) -> None:
    seen[segment.writer] = max(segment.number, seen.get(segment.writer, -1))
    if segment.writer == REWRITTEN:
        last = table.select([REPLICA, SEGMENT]).group_by(REPLICA).aggregate([(SEGMENT, "max")])
        for replica, number in zip(last[REPLICA].to_pylist(), last[f"{SEGMENT}_max"].to_pylist(), strict=True):
            seen[replica] = max(number, seen.get(replica, -1))


def _first_day(since: datetime | None) -> str:
    return f"{since.astimezone(UTC) - SPAN:%Y-%m-%d}" if since else ""


def _between(table: pa.Table, since: datetime | None, until: datetime | None) -> pa.Table:
    if since is not None:
        table = table.filter(pc.greater_equal(table[TIME], pa.scalar(since)))
    if until is not None:
        table = table.filter(pc.less(table[TIME], pa.scalar(until)))
    return table


def _chosen(table: pa.Table, columns: Sequence[str] | None) -> pa.Table:
    if columns is None:
        return table
    count, there = len(table), {*table.column_names}
    return pa.table({name: table[name] if name in there else pa.nulls(count) for name in columns})
