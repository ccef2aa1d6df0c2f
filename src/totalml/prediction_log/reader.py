"""Read the log of a model, also while it is being written and rewritten: no row twice, none lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.identity import short
from totalml.segments.listing import Listing
from totalml.segments.rows import REPLICA, SEGMENT, joined, rows_of
from totalml.segments.segment import REWRITTEN, Segment
from totalml.store.local_files import FileGoneError

if TYPE_CHECKING:
    from totalml.store import Store

TIME = "time"
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
        self, columns: Sequence[str] | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> pa.Table:
        """All rows with `since` <= time < `until`; what `new` gave and gives stays as it is.

        Args:
            columns: as of `new`; None: all that there are, and the segment in which a row was first written.
            since, until: with a time zone; None: no bound but the reader's own.
        """
        return _again(lambda: self._read(columns, max(filter(None, (since, self._since)), default=None), until))

    def _read(self, columns: Sequence[str] | None, since: datetime | None, until: datetime | None) -> pa.Table:
        wanted = None if columns is None else [*dict.fromkeys((*columns, TIME))]
        files = [each for each in self._listed(since) if until is None or each.hour.starts < until]
        tables = [_between(rows_of(self._store, self._model, each, wanted), since, until) for each in files]
        return _chosen(joined(tables), columns)

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
        listed = self._listing.look(_first_day(since)).counting
        return [each for each in listed if self._release in (None, each.hour.release)]

    def _is_new(self, table: pa.Table) -> pa.Array:
        seen = np.array([self._seen.get(replica, -1) for replica in table[REPLICA].to_pylist()], np.int64)
        return pa.array(table[SEGMENT].to_numpy() > seen)


def _again(read: Callable[[], pa.Table]) -> pa.Table:
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
