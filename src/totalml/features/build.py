"""`build_features`: snapshot -> feature set."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from totalml.component import plain
from totalml.features.feature_set import FeatureSet
from totalml.features.images import build_images, definition_digest
from totalml.features.own import with_own
from totalml.features.shared.looked_up import with_shared
from totalml.features.shared.sources import with_snapshots
from totalml.features.table import TableColumns, read_columns
from totalml.identity import canonical, digest
from totalml.kinds import Task
from totalml.progress import Progress
from totalml.recipe import DataRecipe, FeaturesRecipe, RuntimeRecipe, TableFeatures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.data import Snapshot
    from totalml.store import Store

SILENT = Progress.silent()
HERE = RuntimeRecipe()


def build_features(
    features: FeaturesRecipe,
    data: DataRecipe,
    task: Task,
    snapshot: Snapshot,
    store: Store,
    progress: Progress = SILENT,
    runtime: RuntimeRecipe = HERE,
) -> FeatureSet:
    """Decode what is new, look up what is known.

    Args:
        runtime: `workers` and `backend` say what the decoding fans out over.
    Raises: FeatureError: the definition does not fit the snapshot, or what is to be predicted is missing.
    """
    samples = snapshot.samples
    targets = task.read_targets(snapshot, data)
    columns = _columns(features.table, snapshot)
    features = with_snapshots(features, store)
    image, crew = features.image, runtime.crew
    columns = with_shared(columns, features, snapshot, store, progress, crew)
    images = image and build_images(image, samples, data.max_megapixels, store, progress, crew)
    columns = with_own(columns, features.own, snapshot, images.rows if images else None)
    table = features.table
    ids = samples["id"].to_pylist()
    return FeatureSet(
        key=_key(features, snapshot.data_hash, task, targets.names),
        ids=ids,
        sample_keys=sample_keys(ids),
        targets=targets,
        images=images.rows if images else None,
        numeric=columns.numeric,
        numeric_names=(*(table.numeric if table else ()), *columns.made),
        categorical=columns.categorical,
        categorical_names=table.categorical if table else (),
        vocabularies=columns.vocabularies,
        decoded=images.decoded if images else 0,
        reused=images.reused if images else 0,
        pixels=definition_digest(features.image) if features.image else None,
    )


def sample_keys(ids: list[str]) -> NDArray[np.int64]:
    """(N,) the first 8 bytes of BLAKE2b of each id, little-endian."""
    hashes = bytearray()  # of which a list would take six times as much
    for name in ids:
        hashes += hashlib.blake2b(name.encode(), digest_size=8).digest()
    return np.frombuffer(hashes, "<i8").astype(np.int64)


def _columns(table: TableFeatures | None, snapshot: Snapshot) -> TableColumns:
    if table is not None:
        return read_columns(table, snapshot.metadata)
    rows = len(snapshot.samples)  # a table without columns, as of a folder of photos, has no rows either
    return TableColumns(np.zeros((rows, 0), np.float32), np.zeros((rows, 0), np.int64), ())


def _key(features: FeaturesRecipe, data_hash: str, task: Task, names: tuple[str, ...]) -> str:
    definition = {
        "data": data_hash,
        "image": definition_digest(features.image) if features.image else None,
        "table": plain(features.table, where=False) if features.table else None,
        "shared": [[plain(each, where=False), each.snapshot] for each in features.shared],
        "own": plain(features.own, where=False),
        "task": [task.public_path(), *task.columns()],
        "targets": list(names),
    }
    return digest("feature set v3", canonical(definition))
