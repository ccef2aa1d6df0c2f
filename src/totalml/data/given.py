"""What a source gives, as columns in its own order: tables as they are, anything else a sample at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from totalml.component import plain
from totalml.condition import condition
from totalml.data.columns import metadata_table, sample_table
from totalml.data.ingest import Ingest
from totalml.data.sample_batch import BATCH_ROWS, as_stored
from totalml.data.texts import taken
from totalml.data.where import chosen, chosen_rows
from totalml.identity import canonical, digest, short
from totalml.store.stat_cache import StatCache

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from totalml.data.sample import BadSample, Ignored
    from totalml.data.sample_batch import SampleBatch
    from totalml.progress import Progress
    from totalml.recipe import DataRecipe
    from totalml.store import Store

DOING = "taking the snapshot"


@dataclass(frozen=True)
class Given:
    """Args:
    samples: of a snapshot, in the order of the source.
    metadata: of rows of these, by their numbers; None: of all.
    added: blobs that the store did not have.
    """

    samples: pa.Table
    metadata: Callable[[pa.Array | None], pa.Table]
    bad: Sequence[BadSample]
    ignored: Sequence[Ignored] = ()
    added: int = 0


def read_source(data: DataRecipe, store: Store, progress: Progress) -> Given:
    """What `data.where` chooses, its files in the store; nothing is screened.

    Raises: SnapshotError: of the source, or of `data.where`.
    """
    batches = data.source.batches()
    return _one_by_one(data, store, progress) if batches is None else _of_columns(batches, data, progress)


def _of_columns(batches: Iterator[SampleBatch], data: DataRecipe, progress: Progress) -> Given:
    import pyarrow as pa

    where = condition(data.where) if data.where else None
    bad: list[BadSample] = []
    tables = [(sample_table([]), pa.table({}))]
    for batch in progress.track(batches, f"{DOING}, {BATCH_ROWS:,} rows at once"):
        bad += batch.bad
        tables.append(as_stored(chosen_rows(batch, where) if where else batch))
    samples, metadata = (pa.concat_tables(parts, promote_options="default") for parts in zip(*tables, strict=True))
    return Given(samples, lambda rows: _whole(metadata if rows is None else taken(metadata, rows)), bad)


def _whole(metadata: pa.Table) -> pa.Table:
    """A column without any value is text, as it is where values tell the type."""
    import pyarrow as pa

    for number, name in enumerate(metadata.column_names):
        if metadata[name].null_count == len(metadata):
            metadata = metadata.set_column(number, name, pa.nulls(len(metadata), pa.string()))
    return metadata


def _one_by_one(data: DataRecipe, store: Store, progress: Progress) -> Given:
    with store.writing() as writer:
        cache = StatCache(_cache_path(data, store))
        samples = progress.track(data.source.samples(), DOING)
        ingest = Ingest(writer, cache, data.max_megapixels)
        ingested = ingest.run(chosen(samples, condition(data.where)) if data.where else samples)
        writer.finish()
        cache.save()
    rows = ingested.rows
    return Given(
        sample_table(rows),
        lambda numbers: metadata_table(rows if numbers is None else [rows[number] for number in numbers.to_pylist()]),
        ingested.bad,
        ingested.ignored,
        writer.added,
    )


def _cache_path(data: DataRecipe, store: Store) -> Path:
    folder = data.source.folder()
    name = str(folder.resolve()).encode("utf-8", "surrogateescape") if folder else _source_json(data)
    return store.folder("stat") / f"{short(digest('stat cache v1', name), 32)}.bin"


def _source_json(data: DataRecipe) -> bytes:
    return canonical(plain(data.source, where=True))
