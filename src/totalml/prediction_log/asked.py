"""Let go of what people were asked, on request or with the days of the log: its rows in the model's batches of reviews,
and in the queues of alerts.

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
QUEUED, REMOVED = "queued", "removed"
NEVER = "1970-01-01T00:00:00+00:00"

Holding = tuple[str, pa.Table, pa.ChunkedArray]  # a batch, what it holds, and (N,) which of that


def queue_lock(store: Store, model: str) -> AbstractContextManager[None]:
    """Held by whoever fills the queue or makes labels of it, so that nothing comes back that is just being deleted."""
    return store.lock(f"review-{model}")


def requests_asked(store: Store, model: str, inputs: Collection[str]) -> set[str]:
    """By which these inputs came, as far as people were asked about them; the log may hold them no longer."""
    holding = (*_holding(store, model, inputs), *_queues_holding(store, model, inputs))
    held = (items.filter(found)["request_id"] for _, items, found in holding)
    return {each for some in held for each in some.to_pylist() if each is not None}


def remove_items(store: Store, model: str, inputs: Collection[str]) -> int:
    """Items of these inputs; batches, and queues of alerts, are written anew under their names.

    Returns: how many there were.
    Raises: StoreError: a batch is damaged, or the store cannot be written; given again, it goes on.
    """
    removed = _remove(store, model, _holding(store, model, inputs))
    for name, queue, found in _queues_holding(store, model, inputs):
        store.save_file(_bytes_without(queue, found), FOLDER, model, name)
        removed += pc.sum(found).as_py()
    return removed


def remove_old_items(store: Store, model: str, before: datetime) -> int:
    """Items of requests that came before, and of files that people were asked about before; those of snapshots stay.

    What alerts asked for before goes, too.

    Args: before: with a zone. Returns, raises: as `remove_items`.
    """
    with queue_lock(store, model):
        _remove_old_queues(store, model, before)
        return _remove(store, model, _older(store, model, before))


def _remove_old_queues(store: Store, model: str, before: datetime) -> None:
    """Of alerts: `review/<model>/<alert id>.parquet`, each written at one time."""
    for name, queue in _tables(store, FOLDER, model):
        if not len(queue) or pc.max(queue["queued"]).as_py() < before:
            store.remove_file(FOLDER, model, name)


def _remove(store: Store, model: str, holding: Iterator[Holding]) -> int:
    removed = 0
    for name, items, found in holding:
        these = items.filter(found)["item"].to_pylist()
        _tell(store, model, these)
        store.save_file(_bytes_without(items, found), FOLDER, model, ITEMS, name)
        removed += len(these)
    return removed


def _bytes_without(rows: pa.Table, found: pa.ChunkedArray) -> bytes:
    return parquet_bytes(rows.filter(pc.invert(found)).combine_chunks())


def _older(store: Store, model: str, before: datetime) -> Iterator[Holding]:
    events = store.journal(f"{model}{SUFFIX}").events()
    queued = {f"{each.facts['batch']}.parquet": each.when for each in events if each.kind == QUEUED}
    for name, items in _tables(store, FOLDER, model, ITEMS):
        # A batch without an event is nobody's.
        asked = pa.scalar(datetime.fromisoformat(queued.get(name, NEVER)), items["time"].type)
        came = pc.if_else(pc.is_valid(items["request_id"]), pc.coalesce(items["time"], asked), asked)
        sent = pc.and_(pc.is_valid(items["input"]), pc.is_null(items["data_hash"]))
        found = pc.and_(sent, pc.less(came, pa.scalar(before, items["time"].type)))
        if pc.any(found).as_py():
            yield name, items, found


def _holding(store: Store, model: str, inputs: Collection[str]) -> Iterator[Holding]:
    return _with_inputs(_tables(store, FOLDER, model, ITEMS), inputs)


def _queues_holding(store: Store, model: str, inputs: Collection[str]) -> Iterator[Holding]:
    return _with_inputs(_tables(store, FOLDER, model), inputs)


def _with_inputs(tables: Iterator[tuple[str, pa.Table]], inputs: Collection[str]) -> Iterator[Holding]:
    gone = pa.array(inputs, pa.string())
    for name, rows in tables:
        found = pc.is_in(rows["input"], value_set=gone)
        if pc.any(found).as_py():
            yield name, rows, found


def _tables(store: Store, *folder: str) -> Iterator[tuple[str, pa.Table]]:
    for name in store.names(*folder):
        if name.endswith(".parquet"):
            with stored_table(store, *folder, name) as file:
                rows = file.read()
            yield name, rows


def _tell(store: Store, model: str, items: list[str]) -> None:
    when = datetime.now(UTC).isoformat(timespec="seconds")
    store.journal(f"{model}{SUFFIX}").append_decided(lambda _: Draft(REMOVED, {"items": items}, user(), when))
