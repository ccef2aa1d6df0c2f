"""The metadata of a snapshot as deepchecks takes it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.data.snapshot import Snapshot


def dataset(
    library: Any,
    snapshot: Snapshot,
    rows: NDArray[np.int64],
    without: Collection[str | None] = (),
    *,
    by_time: bool = False,
) -> Any:
    """The metadata of the labelled samples among `rows`, with id, label and time under names of their own.

    Args:
        without: columns to leave out.
        by_time: give it the times too.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    samples, metadata = snapshot.samples.take(rows), snapshot.metadata.take(rows)
    features = columns(snapshot, without)
    metadata = metadata.select(features)
    own = own_names(features)
    if not by_time:
        del own["timestamp"]
    for key, name in own.items():
        metadata = metadata.append_column(name, samples[key])
    categorical = [name for name in features if not pa.types.is_floating(metadata[name].type)]
    categorical = [name for name in categorical if not pa.types.is_integer(metadata[name].type)]
    known = pc.is_valid(samples["label"])
    frame = metadata.filter(known).to_pandas()
    frame.index = rows[known.to_numpy()]  # no two splits share one
    return library.Dataset(
        frame,
        label=own["label"],
        features=features,
        cat_features=categorical,
        index_name=own["id"],
        datetime_name=own.get("timestamp"),
        convert_datetime=False,
        label_type="multiclass",
    )


def columns(snapshot: Snapshot, without: Collection[str | None] = ()) -> list[str]:
    """Those of the metadata that it looks at; times are none of them."""
    import pyarrow as pa

    metadata = snapshot.metadata
    times = {name for name in metadata.column_names if pa.types.is_timestamp(metadata[name].type)}
    return [name for name in metadata.column_names if name not in times and name not in without]


def own_names(features: list[str]) -> dict[str, str]:
    """What id, label and timestamp are called beside columns of these names."""
    return {key: _free_name(key, features) for key in ("id", "label", "timestamp")}


def _free_name(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name
