"""The labels of a model: immutable Parquet segments in the store, of which a later label replaces an earlier one.

A segment appears whole or not at all. Those of an hour become one file, in which each row says by which segment it
came, so whoever reads knows what he has read, wherever it lies by now.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.data.snapshot import parquet_bytes
from totalml.identity import canonical, digest
from totalml.labels.columns import PREFIX, by_schema, last_of_each, schema_of
from totalml.segments.listing import Listing
from totalml.segments.rows import REPLICA, SEGMENT, rows_of
from totalml.segments.segment import LABELS, Segment
from totalml.store.local_files import FileGoneError

if TYPE_CHECKING:
    from totalml.evaluation.truth import Truth
    from totalml.store import Store

AT_ONCE = 16  # segments that are read at the same time; a request to an object store is mostly waiting
ATTEMPTS = 20  # each is spoilt only by a file that was rewritten since it was listed


class Labels:
    """Columns: request_id; id, null for each sample of the request; `label:<column>` of the truth; time; who.

    Args:
        truth: what is read and written; labels of another kind, of a release with another task, are left out.
    """

    def __init__(self, store: Store, model: str, truth: Truth) -> None:
        self._store, self._model, self._schema = store, model, schema_of(truth)
        self._listing = Listing(store, model, LABELS)
        self._read: set[Segment] = set()
        self._origins = pa.array([], pa.string())  # of the rows that were read
        self._known = self._schema.empty_table()

    def new(self) -> pa.Table:
        """Those that came since the last call of `new` or `read`, the last of each sample.

        Raises: StoreError: the store cannot be read, or a segment is damaged.
        """
        for _ in range(ATTEMPTS):
            with suppress(FileGoneError):
                return self._new()
        return self._new()

    def read(self) -> pa.Table:
        """All, the last of each sample; only segments that are new since the last call are read.

        Raises: StoreError: as `new`.
        """
        self.new()
        return self._known

    def holds(self, source: str) -> bool:
        """Whether a segment of this source was saved."""
        there = any(each.writer == source for each in self._listing.look().counting)
        return there or self._listing.rewrites.took(source)

    def _new(self) -> pa.Table:
        unread = [each for each in self._listing.look().counting if each not in self._read]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            tables = list(pool.map(self._table, unread))
        # Those of one kind at once: for each of thousands of files it would take as long as reading it.
        alike = [self._fitted(pa.concat_tables(some)) for some in by_schema(tables, lambda table: table)]
        found = pa.concat_tables([self._schema.empty_table(), *alike])
        self._note(unread, tables)
        self._known = last_of_each(pa.concat_tables([self._known, found]))
        return last_of_each(found)

    def _table(self, segment: Segment) -> pa.Table:
        return rows_of(self._store, self._model, segment)

    def _note(self, unread: Sequence[Segment], tables: Sequence[pa.Table]) -> None:
        self._read |= {*unread}
        came = [_origins(table).unique() for table in tables]
        self._origins = pa.concat_arrays([self._origins, *came]).unique()

    def _fitted(self, table: pa.Table) -> pa.Table:
        table = table.filter(pc.invert(pc.is_in(_origins(table), value_set=self._origins)))
        there = {field.name: field.type for field in table.schema}
        columns = [
            table[field.name] if there.get(field.name) == field.type else pa.nulls(len(table), field.type)
            for field in self._schema
        ]
        said = np.zeros(len(table), np.bool_)
        for field, column in zip(self._schema, columns, strict=True):
            if field.name.startswith(PREFIX):
                said |= np.asarray(column.is_valid())
        return pa.table(columns, self._schema).filter(pa.array(said))


class Segments:
    """Writes labels of one source, a segment a call.

    Args: source: by which its segments are told from those of others, so what they hold must follow from it; None: a
        random one.
    """

    def __init__(self, store: Store, model: str, source: str | None = None) -> None:
        self._store, self._model = store, model
        self._source, self._count = source or uuid.uuid4().hex[:8], 0

    def save(self, table: pa.Table) -> None:
        """Returns once it is in the store. Raises: StoreError: it cannot be written."""
        self._count += 1
        segment = Segment.new(table["time"][0].as_py(), self._source, self._count, _kind(table), LABELS)
        self._store.save_file(parquet_bytes(table), *segment.path(self._model))


def _kind(table: pa.Table) -> str:
    """The same for the same columns: segments of one kind become one file."""
    return digest("columns of labels v1", canonical([[field.name, str(field.type)] for field in table.schema]))


def _origins(table: pa.Table) -> pa.ChunkedArray:
    """(N,) writer and number of the segment that each row came by."""
    return pc.binary_join_element_wise(table[REPLICA], table[SEGMENT].cast(pa.string()), "-")
