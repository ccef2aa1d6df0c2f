"""The test split of a release: what its reference says of it, and where the pictures lie in the snapshot.

Its labels are known, so its samples are gold too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.data.snapshot import load_snapshot
from totalml.errors import DataError, StoreError
from totalml.labels.label import truth_of
from totalml.monitoring.losses import reference_truths
from totalml.monitoring.tables import reference_of
from totalml.review.queues.from_log import facts_of
from totalml.review.queues.pool import TEXT, TRUTH, Pool

if TYPE_CHECKING:
    from totalml.recipe.review import ReviewRecipe
    from totalml.release.bundle import Bundle
    from totalml.release.signature import Signature
    from totalml.store import Store

SPLIT, TEST = "split", "test"
TIMESTAMP = "timestamp"


def split_pool(store: Store, bundle: Bundle, signature: Signature, settings: ReviewRecipe) -> Pool:
    """Raises: DataError: the release has no reference. StoreError: its snapshot is not in the store."""
    rows = split_rows(bundle)
    data_hash = bundle.facts.get("data_hash")
    if signature.picture:
        rows = rows.append_column("picture", blobs_of(str(data_hash), rows["id"], store))
    columns = {
        "sample": rows["id"],
        "data_hash": pa.array([data_hash] * len(rows), TEXT),
        "release": pa.array([bundle.hash] * len(rows), TEXT),
    }
    columns |= {name: rows[name] for name in rows.column_names if ":" in name or name in ("picture", "strangeness")}
    if TIMESTAMP in rows.column_names:
        columns["time"] = rows[TIMESTAMP].cast(pa.timestamp("us", "UTC"))
    truths = reference_truths(rows, truth_of(signature))
    columns |= {f"{TRUTH}{name}": truths[name] for name in truths.column_names}
    return Pool(pa.table(columns), "samples of the test split", facts=facts_of(settings, signature))


def split_rows(bundle: Bundle) -> pa.Table:
    """Of the reference, those of the test split. Raises: DataError: the release has no reference."""
    rows = reference_of(bundle)
    return rows.filter(pc.equal(rows[SPLIT], TEST)) if SPLIT in rows.column_names else rows


def blobs_of(data_hash: str, ids: pa.ChunkedArray, store: Store) -> pa.ChunkedArray:
    """Digests of pictures; null where the snapshot has no such sample. Raises: StoreError: it is not in the store."""
    samples = load_snapshot(data_hash, store).samples
    places = pc.index_in(ids, value_set=samples["id"].combine_chunks())
    return samples["blob"].take(places)


def with_truth(pool: Pool) -> Pool:
    """The part of which the truth is known."""
    names = [name for name in pool.table.column_names if name.startswith(TRUTH)]
    known = np.zeros(len(pool), np.bool_)
    for name in names:
        known |= np.asarray(pool.table[name].is_valid())
    return pool.take(np.flatnonzero(known))


def known_pool(store: Store, bundle: Bundle, signature: Signature, settings: ReviewRecipe) -> Pool | None:
    """As `split_pool`; None where it is not at hand."""
    try:
        return with_truth(split_pool(store, bundle, signature, settings))
    except (DataError, StoreError):
        return None
