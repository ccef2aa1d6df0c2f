"""Which labels belong to a prediction that the log holds by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from totalml.data.stored_table import stored_table
from totalml.errors import StoreError
from totalml.labels.columns import keys
from totalml.labels.label import ID, REQUEST_ID
from totalml.release.log_rows import LOG

if TYPE_CHECKING:
    from totalml.store import Store


def find_known(labels: pa.Table, store: Store, model: str) -> tuple[pa.Array, int]:
    """(N,) whether each does, and how many files of the log could not be read, as they were removed meanwhile."""
    wanted, unread = keys(labels), 0
    known = pa.array([False] * len(labels), pa.bool_())
    for name in store.files(LOG, model):
        try:
            with stored_table(store, name) as file:
                asked = file.read(columns=[REQUEST_ID, ID])
        except StoreError:
            unread += 1
            continue
        known = pc.or_(known, pc.is_in(wanted, value_set=pa.concat_arrays([keys(asked), keys(_requests(asked))])))
    return known, unread


def _requests(asked: pa.Table) -> pa.Table:
    """Without their samples, as a label of all of them is."""
    return asked.set_column(1, ID, pa.nulls(len(asked), pa.string()))
