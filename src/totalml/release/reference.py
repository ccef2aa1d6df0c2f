"""What a monitor compares traffic with: samples that the model was chosen by and judged on, and what it says of them.

Of the test and validation splits only: of what a model has learnt from it is surer than of anything it meets later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from totalml.data.image_properties import image_properties
from totalml.evaluation.pictures import evenly, parts
from totalml.release.log_rows import NOTHING, log_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.data import Snapshot, Splits
    from totalml.evaluation.truth import Truth
    from totalml.features.feature_set import FeatureSet
    from totalml.release.scorer import Scored, Scorer
    from totalml.store import Store

MOST_LOOKED_AT = 2000  # rows of which it is asked what the model looks at, evenly taken
MOST = 20_000  # rows of each split, evenly taken: their shares are then known to 0.7 points


def reference_rows(splits: Splits) -> NDArray[np.int64]:
    """Row numbers of the snapshot, validation first."""
    return np.concatenate([evenly(splits.validation, MOST), evenly(splits.test, MOST)])


def attribution_of(scorer: Scorer, features: FeatureSet, rows: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    """(N,) each; NaN of rows that were not asked. Raises: ModelError: the model cannot run."""
    if not scorer.attributions:
        return {}
    places = evenly(np.arange(len(rows)), MOST_LOOKED_AT)
    found = {name: np.full(len(rows), np.nan, np.float32) for name in scorer.attributions}
    for name, values in scorer.attribution_rows(features, rows[places]).items():
        found[name][places] = values
    return found


def reference_table(
    snapshot: Snapshot,
    splits: Splits,
    features: FeatureSet,
    scored: Scored,
    rows: NDArray[np.int64],
    truth: Truth,
    store: Store,
    attribution: Mapping[str, NDArray[np.float32]] = NOTHING,
) -> pa.Table:
    """Of each row: id, split, label or labels, group, timestamp (its season), `answer:`, `property:` of the picture,
    `metadata:`, embedding, strangeness, `attribution:`.

    Args:
        scored: of these rows, in their order.
        truth: of the task.
        attribution: of these rows, as `attribution_of` gives it.
    """
    samples = snapshot.samples
    columns = {name: samples[name].take(rows) for name in ("id", "label", "group", "timestamp")}
    columns["split"] = pa.array(np.where(np.isin(rows, splits.test), "test", "validation"))
    columns |= truth.of_targets(features.targets.values[rows])
    columns |= log_columns(
        scored.answers,
        _properties(features, rows, snapshot, store),
        _seen(snapshot, features, rows),
        scored.embeddings,
        scored.strangeness,
        attribution,
    )
    return pa.table(columns)


def _seen(snapshot: Snapshot, features: FeatureSet, rows: NDArray[np.int64]) -> pa.Table:
    """The metadata, and numbers that were made for the model, which the log has of what was served too."""
    table = snapshot.metadata.take(rows)
    for place, name in enumerate(features.numeric_names):
        if name not in table.column_names:
            made = features.numeric[rows, place].astype(np.float64)
            table = table.append_column(name, pa.array(made, from_pandas=True))
    return table


def _properties(
    features: FeatureSet, rows: NDArray[np.int64], snapshot: Snapshot, store: Store
) -> dict[str, NDArray[np.float32]]:
    if features.images is None:
        return {}
    sizes = np.array(store.picture_sizes(snapshot.samples["blob"].take(rows).to_pylist()), np.int64).reshape(-1, 2)
    done, found = 0, []
    for some in parts(rows, features):
        found.append(image_properties(features.images.gather(some), sizes[done : done + len(some)]))
        done += len(some)
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]} if found else {}
