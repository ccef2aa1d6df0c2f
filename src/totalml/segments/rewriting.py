"""Make one file of several, or of one without some of its rows; killed anywhere, whoever comes next completes it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from totalml.data.snapshot import parquet_bytes
from totalml.identity import digest
from totalml.release.log_rows import LOG
from totalml.segments.listing import Listed, Listing
from totalml.segments.rows import joined, rows_of
from totalml.segments.segment import LABELS, REWRITTEN, Hour, Segment
from totalml.store.event import JournalMovedError
from totalml.store.local_files import FileGoneError

if TYPE_CHECKING:
    from totalml.segments.rewrites import Rewrite
    from totalml.store import Store

KEYS = {LOG: "input", LABELS: "request_id"}  # folder -> column by which rows are left out
MOST_BYTES = 64 * 2**20  # of rows in memory that become one file


class Rewriter:
    """Args:
    model: whose rows they are.
    folder: LOG or LABELS.
    """

    def __init__(self, store: Store, model: str, folder: str = LOG) -> None:
        self.listing = Listing(store, model, folder)
        self._store, self._model, self._key = store, model, KEYS[folder]
        self._finished: Rewrite | None = None

    def compact(self, hour: Hour) -> int:
        """Make few files of the segments of an hour that is over; those that come late, of their own.

        Returns: how many segments they were.
        Raises: StoreError: a file is damaged, or the store cannot be written.
        """
        compacted = 0
        while segments := [each for each in self._counting(hour) if each.writer != REWRITTEN]:
            if len(segments) == 1 and not compacted:
                break
            try:
                taken, rows = self._first(segments)
            except FileGoneError:  # somebody else is at it, too
                continue
            if self._rewrite(taken, rows, ()):
                compacted += len(taken)
        return compacted

    def leave_out(self, segment: Segment, keys: Collection[str]) -> int:
        """Make a file anew, without the rows of these keys: inputs, or requests of labels.

        Returns: how many rows they were; 0 too where somebody else has rewritten it meanwhile.
        Raises: as of `compact`.
        """
        marks = sorted(map(mark, keys))
        if segment not in self._counting(segment.hour):
            return 0
        try:
            rows = rows_of(self._store, self._model, segment)
        except FileGoneError:
            return 0
        kept = self._without(rows, marks)
        return len(rows) - len(kept) if self._rewrite([segment], kept, marks) else 0

    def sweep(self) -> None:
        """Finish what was begun, and remove files that were replaced and yet lie there.

        A process that slept between two of its steps, or a store that answered late, may bring one back.
        Raises: as of `compact`.
        """
        for each in self.settled().replaced:
            self._remove(each)

    def settled(self, *days: str) -> Listed:
        """As `Listing.look`, while no rewrite is half done.

        Raises: as of `compact`.
        """
        while True:
            listed, last = self.listing.look(*days), self.listing.rewrites.last
            if last is None or last == self._finished:
                return listed
            try:
                self._finish(last)
            except FileGoneError:  # somebody else finishes it, too
                continue
            self._finished = last

    def _counting(self, hour: Hour) -> list[Segment]:
        return [each for each in self.settled(hour.day, hour.day).counting if each.hour == hour]

    def _first(self, segments: Sequence[Segment]) -> tuple[list[Segment], pa.Table]:
        """As many of them as become one file."""
        tables: list[pa.Table] = []
        size = 0
        for segment in segments:
            table = rows_of(self._store, self._model, segment)
            size += table.nbytes
            if tables and size > MOST_BYTES:
                break
            tables.append(table)
        return [*segments[: len(tables)]], joined(tables)

    def _rewrite(self, taken: Sequence[Segment], rows: pa.Table, marks: Sequence[str]) -> bool:
        """False: somebody else was first, with whatever it was."""
        try:
            rewrite = self.listing.rewrites.claim(taken, marks)
        except JournalMovedError:
            return False
        self._make(rewrite, taken, rows)
        self._finished = rewrite
        return True

    def _finish(self, rewrite: Rewrite) -> None:
        day = rewrite.hour.day
        listed = self.listing.look(day, day)
        taken = [each for each in (*listed.counting, *listed.replaced) if rewrite.is_of(each)]
        if rewrite.makes in (*listed.counting, *listed.replaced) or {*taken} & {*listed.replaced}:
            for each in taken:
                self._remove(each)
        elif taken:
            rows = joined([rows_of(self._store, self._model, each) for each in taken])
            self._make(rewrite, taken, self._without(rows, rewrite.without))

    def _make(self, rewrite: Rewrite, taken: Sequence[Segment], rows: pa.Table) -> None:
        self._store.save_file(parquet_bytes(rows.combine_chunks()), *rewrite.makes.path(self._model))
        for each in taken:
            self._remove(each)

    def _remove(self, segment: Segment) -> None:
        self._store.remove_file(*segment.path(self._model))

    def _without(self, rows: pa.Table, marks: Collection[str]) -> pa.Table:
        if not marks or self._key not in rows.column_names:
            return rows
        kept = [key is None or mark(key) not in marks for key in rows[self._key].to_pylist()]
        return rows.filter(pa.array(kept, pa.bool_()))


def mark(hashed: str) -> str:
    """By which an event tells a key whose rows are left out, without naming it."""
    return digest("deleted input v1", hashed.encode())
