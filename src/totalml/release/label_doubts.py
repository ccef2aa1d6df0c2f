"""Which labels of the samples that a release was made of are likely to be wrong, by what its model makes of them.

The model learnt from these labels, wrong ones too, and yet its embeddings find twice as many as the pictures in small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from totalml.data import load_snapshot
from totalml.features import build_features
from totalml.progress import Progress
from totalml.quality import doubtful_labels
from totalml.release.scorer import Scorer
from totalml.runs.stored import stored_recipe

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.release.bundle import Bundle
    from totalml.store import Store


def labels_doubted_by(bundle: Bundle, store: Store) -> pa.Table:
    """As `doubtful_labels`; no rows if the release gives no embeddings. Needs no torch.

    Raises: StoreError: the release or its samples are no longer there, whole. ModelError: the model cannot run.
    """
    recipe, snapshot = stored_recipe(bundle.folder), load_snapshot(bundle.facts["data_hash"], store)
    silent = Progress.silent()
    features = build_features(recipe.features, recipe.data, recipe.task, snapshot, store, silent, recipe.runtime)
    embeddings = Scorer.load(bundle).score_rows(features, np.arange(len(features))).embeddings
    return doubtful_labels(snapshot.samples, np.zeros((len(features), 0)) if embeddings is None else embeddings)
