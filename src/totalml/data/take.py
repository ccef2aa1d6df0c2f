"""From a source to a snapshot: read, screen, store, name, compare with the pin."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from totalml.component import plain
from totalml.data.changes import describe_changes
from totalml.data.columns import skipped_table
from totalml.data.data_hash import data_hash, sorted_rows
from totalml.data.given import read_source
from totalml.data.memory import hash_in, memory_path, say_pin
from totalml.data.sample import BadSample, Ignored
from totalml.data.screen import screen
from totalml.data.snapshot import Snapshot, has_snapshot, load_snapshot, save_snapshot, snapshot_folder
from totalml.data.stored_snapshot import require_taken_whole
from totalml.data.texts import taken
from totalml.errors import SnapshotError
from totalml.identity import canonical
from totalml.progress import Progress
from totalml.store.atomic import remove_leftovers, write_atomically, write_if_new

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from totalml.recipe import DataRecipe
    from totalml.store import Store

SHOWN = 50  # bad samples in an error message


def take_snapshot(data: DataRecipe, store: Store, progress: Progress | None = None) -> Snapshot:
    """Store what the source holds now.

    Two calls at once, also from two processes, wait for each other and give one snapshot.

    Raises: SnapshotError: there are bad samples (`on_bad_sample: fail`) or none that is good, a metadata column
        mixes types, or the snapshot is not the pinned one. StoreError: the store cannot be written.
    """
    progress = progress or Progress.silent()
    if (name := data.source.standing()) is not None:
        snapshot = load_snapshot(name, store)
        require_taken_whole(data, snapshot)
        _compare_with_pin(data, snapshot, store, progress)
        return snapshot
    with store.lock("snapshots"):
        for name in ("fingerprints", "reports", "snapshots", "stat"):
            remove_leftovers(store.folder(name))
        # Before the files are read: one that changes meanwhile gives another fingerprint next time.
        memory = memory_path(data, store)
        snapshot = _remembered(memory, store) or _taken(data, store, progress)
        if memory is not None:
            write_if_new(memory, canonical({"data_hash": snapshot.data_hash}))
        os.utime(snapshot_folder(snapshot.data_hash, store))  # in use: the run that will name it is not there yet
    _compare_with_pin(data, snapshot, store, progress)
    return snapshot


def _taken(data: DataRecipe, store: Store, progress: Progress) -> Snapshot:
    given = read_source(data, store, progress)
    samples = _spelt(given.samples, data.spellings)
    rows, screened = screen(samples, data.classes)
    bad = [*given.bad, *screened]
    _say_ignored(given.ignored, progress)
    if bad and data.on_bad_sample == "fail":
        raise SnapshotError(_list_bad(bad, store))
    samples, rows = _in_order(samples, rows)
    if not len(samples):
        raise SnapshotError(_no_samples(bad, store, data.where))
    _check_labels(data, {*samples["label"].unique().to_pylist()})
    if bad:
        progress.say(f"skipped {len(bad)} bad samples; they are listed in the snapshot")
    metadata = given.metadata(rows)
    snapshot = Snapshot(data_hash(samples, metadata), samples, metadata, skipped_table(bad), given.added)
    save_snapshot(snapshot, plain(data.source, where=True), store)
    return snapshot


def _spelt(samples: pa.Table, spellings: Mapping[str, str]) -> pa.Table:
    """Each label as the recipe spells it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not spellings:
        return samples
    labels = samples["label"]
    meant = pa.array([*spellings.values()], pa.string()).take(pc.index_in(labels, pa.array([*spellings], pa.string())))
    return samples.set_column(samples.column_names.index("label"), "label", pc.coalesce(meant, labels))


def _in_order(samples: pa.Table, rows: pa.Array | None) -> tuple[pa.Table, pa.Array | None]:
    """The rows of these numbers by their ids, and the numbers in this order; None: all of them as they stand."""
    samples = samples if rows is None else taken(samples, rows)
    order = sorted_rows(samples["id"])
    if order is None:
        return samples, rows
    return taken(samples, order), order if rows is None else rows.take(order)


def _remembered(memory: Path | None, store: Store) -> Snapshot | None:
    """The snapshot that the source gave earlier, if it and all its blobs are still there."""
    name = hash_in(memory, store)
    if name is None:
        return None
    snapshot = load_snapshot(name, store)
    blobs = [*snapshot.samples["blob"].to_pylist(), *snapshot.samples["mask"].to_pylist()]
    return None if store.missing([blob for blob in blobs if blob is not None]) else snapshot


def _compare_with_pin(data: DataRecipe, snapshot: Snapshot, store: Store, progress: Progress) -> None:
    say_pin(data, snapshot.data_hash, progress)
    if data.snapshot not in (None, snapshot.data_hash):
        raise SnapshotError(
            f"the source no longer gives the pinned snapshot.\n"
            f"  pinned: {data.snapshot}\n  now:    {snapshot.data_hash}\n"
            f"{_changes(data.snapshot, snapshot, store)}\n"
            f"Bring the old data back, or set data.snapshot to the new hash (null: unpinned)."
        )


def _changes(pinned: str, now: Snapshot, store: Store) -> str:
    if not has_snapshot(pinned, store):
        return f"What changed cannot be told: the pinned snapshot is not in the store {store.root}."
    return describe_changes(load_snapshot(pinned, store), now)


def _say_ignored(ignored: Sequence[Ignored], progress: Progress) -> None:
    if ignored:
        names = ", ".join(sample.id for sample in ignored[:3])
        progress.say(f"ignored {len(ignored)} hidden or system files: {names}{', ...' if len(ignored) > 3 else ''}")


def _check_labels(data: DataRecipe, found: set[str | None]) -> None:
    if found == {None}:  # data.labels lists what the task finds in other columns
        return
    missing = [label for label in data.classes or () if label not in found]
    if missing:
        there = sorted(label for label in found if label is not None)
        raise SnapshotError(f"no sample has the label {missing[0]!r} of data.labels; the labels there are {there}")


def _list_bad(bad: Sequence[BadSample], store: Store) -> str:
    lines = [f"  {sample.id!r}: {sample.reason}" for sample in bad]
    text = f"{len(bad)} bad sample{'s' if len(bad) > 1 else ''}:\n" + "\n".join(lines[:SHOWN])
    if len(lines) > SHOWN:
        path = store.folder("reports") / "bad_samples.txt"
        write_atomically(path, ("\n".join(lines) + "\n").encode())
        text += f"\n  ... and {len(lines) - SHOWN} more; all are listed in {path}"
    return text + "\nMend them, or set data.on_bad_sample=skip to leave them out."


def _no_samples(bad: Sequence[BadSample], store: Store, where: str | None) -> str:
    nothing = f"No sample meets data.where: {where}" if where else "It yielded nothing."
    return f"the source holds no usable sample. {_list_bad(bad, store) if bad else nothing}"
