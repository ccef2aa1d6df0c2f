"""The snapshot: an immutable table of samples whose files lie in the store, named by its data hash."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from totalml.data.columns import skipped_schema
from totalml.data.data_hash import data_hash
from totalml.errors import StoreError
from totalml.identity import PREFIX
from totalml.store.atomic import atomic_folder, remove_leftovers, write_if_new

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.store import Store

SCHEMA = 1
_TABLES = ("samples", "metadata", "skipped")


@dataclass(frozen=True)
class Snapshot:
    """Args:
    samples: id, blob, size_bytes, label, group, timestamp, mask; a row per sample, sorted by the bytes of the id.
        `blob` and `mask` are digests in the store. `group` is the id where the source gave none.
    metadata: the same rows, the source's own columns.
    skipped: id, reason; what the latest call left out. No part of the data hash.
    added: blobs that this call stored for the first time.
    """

    data_hash: str
    samples: pa.Table
    metadata: pa.Table
    skipped: pa.Table
    added: int = 0


def save_snapshot(snapshot: Snapshot, source: dict[str, Any], store: Store) -> None:
    """Write it whole or not at all; if it is there already, only what was skipped is written anew."""
    folder = snapshot_folder(snapshot.data_hash, store)
    if (folder / "manifest.json").exists():
        remove_leftovers(folder)
        write_if_new(folder / "skipped.parquet", parquet_bytes(snapshot.skipped))
        return
    if folder.exists():  # without its manifest it is not whole
        shutil.rmtree(folder)
    with atomic_folder(folder) as temporary:
        for name in _TABLES:
            with (temporary / f"{name}.parquet").open("xb") as file:
                _write_parquet(getattr(snapshot, name), file)
        (temporary / "manifest.json").write_text(json.dumps(_manifest(snapshot, source), indent=2) + "\n")


def load_snapshot(digest: str, store: Store) -> Snapshot:
    """Read a snapshot back and check that its tables still give its name.

    Raises: StoreError: it is not in the store, or is damaged.
    """
    import pyarrow as pa

    folder = snapshot_folder(digest, store)
    if not has_snapshot(digest, store):
        raise StoreError(f"snapshot {digest} is not in the store {store.root}; take it again from its source")
    try:
        tables = {name: _read_file(folder / f"{name}.parquet") for name in _TABLES}
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"snapshot folder {folder} is damaged: {error}. {_mend(folder)}") from error
    # What was skipped is no part of the name, and the checksums of its pages leave out the names of its columns.
    whole = tables["skipped"].schema == skipped_schema()
    if not whole or data_hash(tables["samples"], tables["metadata"]) != digest:
        raise StoreError(f"snapshot folder {folder} no longer has the content of its name. {_mend(folder)}")
    return Snapshot(digest, **tables)


def has_snapshot(digest: str, store: Store) -> bool:
    """Also brings it from a remote store."""
    store.fetch("snapshots", digest.removeprefix(PREFIX))
    return (snapshot_folder(digest, store) / "manifest.json").exists()


def snapshot_folder(digest: str, store: Store) -> Path:
    return store.root / "snapshots" / digest.removeprefix(PREFIX)


def _manifest(snapshot: Snapshot, source: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "data_hash": snapshot.data_hash,
        "samples": snapshot.samples.num_rows,
        "skipped": snapshot.skipped.num_rows,
        "source": source,
    }


def parquet_bytes(table: pa.Table, dictionaries: bool | list[str] = True) -> bytes:
    """A table as the content of a Parquet file.

    Args: dictionaries: columns whose values recur; of others it takes time to find that out.
    """
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    _write_parquet(table, sink, dictionaries)
    return bytes(sink.getvalue())


def read_parquet(data: bytes) -> pa.Table:
    """The table in a Parquet file's content."""
    import pyarrow as pa

    return _read(pa.BufferReader(data))


def _write_parquet(table: pa.Table, sink: BinaryIO | pa.NativeFile, dictionaries: bool | list[str] = True) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, sink, compression="zstd", write_page_checksum=True, use_dictionary=dictionaries)


def _read_file(path: Path) -> pa.Table:
    with path.open("rb") as file:
        return _read(file)


def _read(file: BinaryIO | pa.NativeFile) -> pa.Table:
    import pyarrow.parquet as pq

    # Not pq.read_table: it imports pyarrow's dataset machinery, which takes longer than the reading.
    return pq.ParquetFile(file, page_checksum_verification=True).read()


def _mend(folder: Path) -> str:
    return f"Delete {folder} and take the snapshot again."
