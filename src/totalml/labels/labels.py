"""The labels of a model: immutable Parquet segments in the store, of which a later label replaces an earlier one.

A segment appears whole or not at all and never changes, so whoever reads holds what he has read, and reads what is new.
"""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from totalml.data.snapshot import parquet_bytes
from totalml.data.stored_table import stored_table
from totalml.labels.columns import PREFIX, by_schema, last_of_each, schema_of

if TYPE_CHECKING:
    from totalml.evaluation.truth import Truth
    from totalml.store import Store

FOLDER = "labels"  # of the store: labels/<model>/<day>/<segment>.parquet
AT_ONCE = 16  # segments that are read at the same time; a request to an object store is mostly waiting


class Labels:
    """Columns: request_id; id, null for each sample of the request; `label:<column>` of the truth; time; who.

    Args:
        truth: what is read and written; labels of another kind, of a release with another task, are left out.
    """

    def __init__(self, store: Store, model: str, truth: Truth) -> None:
        self._store, self._model, self._schema = store, model, schema_of(truth)
        self._read: set[str] = set()
        self._known = self._schema.empty_table()

    def new(self) -> pa.Table:
        """Those that came since the last call of `new` or `read`, the last of each sample.

        Raises: StoreError: the store cannot be read, or a segment is damaged.
        """
        names = [name for name in self._segments() if name not in self._read]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            tables = list(pool.map(self._table, names))
        self._read |= {*names}
        # Those of one kind at once: for each of thousands of files it would take as long as reading it.
        alike = [self._fitted(pa.concat_tables(some)) for some in by_schema(tables, lambda table: table)]
        found = pa.concat_tables([self._schema.empty_table(), *alike])
        self._known = last_of_each(pa.concat_tables([self._known, found]))
        return last_of_each(found)

    def read(self) -> pa.Table:
        """All, the last of each sample; only segments that are new since the last call are read.

        Raises: StoreError: as `new`.
        """
        self.new()
        return self._known

    def holds(self, source: str) -> bool:
        """Whether a segment of this source was saved."""
        return any(f"-{source}-" in name for name in self._segments())

    def _segments(self) -> list[str]:
        return segments_of(self._store, self._model)

    def _table(self, name: str) -> pa.Table:
        with stored_table(self._store, name) as file:
            return file.read(use_threads=False)

    def _fitted(self, table: pa.Table) -> pa.Table:
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


def segments_of(store: Store, model: str) -> list[str]:
    """Names of them, as of `Store.files`."""
    return [name for name in store.files(FOLDER, model) if name.endswith(".parquet")]


class Segments:
    """Writes labels of one source, a segment a call.

    Args: source: by which its segments are told from those of others; None: a random one.
    """

    def __init__(self, store: Store, model: str, source: str | None = None) -> None:
        self._store, self._model = store, model
        self._source, self._count = source or uuid.uuid4().hex[:8], 0

    def save(self, table: pa.Table) -> None:
        """Returns once it is in the store. Raises: StoreError: it cannot be written."""
        self._count += 1
        first = table["time"][0].as_py()
        name = f"{first:%H%M%S}-{self._source}-{self._count:06}.parquet"
        self._store.save_file(parquet_bytes(table), FOLDER, self._model, f"{first:%Y-%m-%d}", name)
