"""Let go of labels, on request."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from totalml.data.snapshot import parquet_bytes
from totalml.data.stored_table import stored_table
from totalml.labels.label import REQUEST_ID
from totalml.labels.labels import segments_of

if TYPE_CHECKING:
    from totalml.store import Store


def remove_labels(store: Store, model: str, requests: Collection[str]) -> int:
    """Those of these requests; segments are written anew under their names, so that whoever has listed them finds them.

    Returns: how many there were.
    Raises: StoreError: a segment is damaged, or the store cannot be written; given again, it goes on.
    """
    removed, gone = 0, pa.array(requests, pa.string())
    for name in segments_of(store, model) if requests else ():
        with stored_table(store, name) as file:
            labels = file.read()
        kept = labels.filter(pc.invert(pc.is_in(labels[REQUEST_ID], value_set=gone)))
        if len(kept) < len(labels):
            removed += len(labels) - len(kept)
            store.save_file(parquet_bytes(kept.combine_chunks()), name)
    return removed
