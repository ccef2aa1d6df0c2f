"""`build_features`: snapshot -> feature set."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from totalml.component import plain
from totalml.errors import FeatureError
from totalml.features.feature_set import FeatureSet
from totalml.features.images import build_images, definition_digest
from totalml.features.table import TableColumns, read_columns
from totalml.identity import canonical, digest
from totalml.progress import Progress
from totalml.recipe import DataRecipe, FeaturesRecipe, RuntimeRecipe, TableFeatures

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.data import Snapshot
    from totalml.store import Store

SILENT = Progress.silent()
HERE = RuntimeRecipe()


def build_features(
    features: FeaturesRecipe,
    data: DataRecipe,
    snapshot: Snapshot,
    store: Store,
    progress: Progress = SILENT,
    runtime: RuntimeRecipe = HERE,
) -> FeatureSet:
    """Decode what is new, look up what is known.

    Args:
        runtime: `workers` and `backend` say what the decoding fans out over.
    Raises: FeatureError: the definition does not fit the snapshot, or a label is missing or not on the list.
    """
    samples = snapshot.samples
    classes, labels = _labels(samples, data.classes)
    columns = _columns(features.table, snapshot)
    images = features.image and build_images(features.image, samples, data.max_megapixels, store, progress, runtime)
    table = features.table
    ids = samples["id"].to_pylist()
    return FeatureSet(
        key=_key(features, snapshot.data_hash, classes),
        ids=ids,
        sample_keys=sample_keys(ids),
        classes=classes,
        labels=labels,
        images=images.rows if images else None,
        numeric=columns.numeric,
        numeric_names=table.numeric if table else (),
        categorical=columns.categorical,
        categorical_names=table.categorical if table else (),
        vocabularies=columns.vocabularies,
        decoded=images.decoded if images else 0,
        reused=images.reused if images else 0,
        pixels=definition_digest(features.image) if features.image else None,
    )


def sample_keys(ids: list[str]) -> NDArray[np.int64]:
    """(N,) the first 8 bytes of BLAKE2b of each id, little-endian."""
    hashes = b"".join(hashlib.blake2b(name.encode(), digest_size=8).digest() for name in ids)
    return np.frombuffer(hashes, "<i8").astype(np.int64)


def _columns(table: TableFeatures | None, snapshot: Snapshot) -> TableColumns:
    if table is not None:
        return read_columns(table, snapshot.metadata)
    rows = len(snapshot.samples)  # a table without columns, as of a folder of photos, has no rows either
    return TableColumns(np.zeros((rows, 0), np.float32), np.zeros((rows, 0), np.int64), ())


def _labels(samples: pa.Table, chosen: tuple[str, ...] | None) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    labels = samples["label"].combine_chunks()
    if labels.null_count:
        ids = samples.filter(labels.is_null())["id"].to_pylist()
        raise FeatureError(
            f"{len(ids)} samples have no label: {', '.join(map(repr, ids[:10]))}. Label them or remove them."
        )
    present = sorted(pc.unique(labels).to_pylist())
    classes = chosen or tuple(present)
    if unknown := [label for label in present if label not in classes]:
        raise FeatureError(
            f"the snapshot has labels that data.labels does not list: {unknown[:10]}; it lists {list(classes)}. "
            "Add them to data.labels or correct the source."
        )
    return classes, pc.index_in(labels, pa.array(classes)).to_numpy(zero_copy_only=False).astype(np.int64)


def _key(features: FeaturesRecipe, data_hash: str, classes: tuple[str, ...]) -> str:
    definition = {
        "data": data_hash,
        "image": definition_digest(features.image) if features.image else None,
        "table": plain(features.table, where=False) if features.table else None,
        "classes": list(classes),
    }
    return digest("feature set v1", canonical(definition))
