"""Let go of what people were asked about an input, on request: its rows in the batches of the model's reviews.

The reviews are told first, in their journal, so that a page that has a batch in memory lets go of it, too; killed after
that, the rows are found when the deletion is given again. What people said stays, under an item that nothing holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from totalml.data.snapshot import parquet_bytes
from totalml.data.stored_table import stored_table
from totalml.machine import user
from totalml.store.event import Draft

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from totalml.store import Store

SUFFIX = ".review"  # of the journal of a model's reviews
FOLDER, ITEMS = "review", "items"  # review/<model>/items/<batch>.parquet
REMOVED = "removed"


def queue_lock(store: Store, model: str) -> AbstractContextManager[None]:
    """Held by whoever fills the queue or makes labels of it, so that nothing comes back that is just being deleted."""
    return store.lock(f"review-{model}")


def requests_asked(store: Store, model: str, inputs: Collection[str]) -> set[str]:
    """By which these inputs came, as far as people were asked about them; the log may hold them no longer."""
    held = (items.filter(found)["request_id"] for _, items, found in _holding(store, model, inputs))
    return {each for some in held for each in some.to_pylist() if each is not None}


def remove_items(store: Store, model: str, inputs: Collection[str]) -> int:
    """Items of these inputs; batches are written anew under their names.

    Returns: how many there were.
    Raises: StoreError: a batch is damaged, or the store cannot be written; given again, it goes on.
    """
    removed = 0
    for name, items, found in _holding(store, model, inputs):
        these = items.filter(found)["item"].to_pylist()
        _tell(store, model, these)
        store.save_file(parquet_bytes(items.filter(pc.invert(found)).combine_chunks()), FOLDER, model, ITEMS, name)
        removed += len(these)
    return removed


def _holding(store: Store, model: str, inputs: Collection[str]) -> Iterator[tuple[str, pa.Table, pa.ChunkedArray]]:
    """Files with such items, what they hold, and (N,) which of that."""
    gone = pa.array(inputs, pa.string())
    for name in store.names(FOLDER, model, ITEMS):
        with stored_table(store, FOLDER, model, ITEMS, name) as file:
            items = file.read()
        found = pc.is_in(items["input"], value_set=gone)
        if pc.any(found).as_py():
            yield name, items, found


def _tell(store: Store, model: str, items: list[str]) -> None:
    when = datetime.now(UTC).isoformat(timespec="seconds")
    store.journal(f"{model}{SUFFIX}").append_decided(lambda _: Draft(REMOVED, {"items": items}, user(), when))
