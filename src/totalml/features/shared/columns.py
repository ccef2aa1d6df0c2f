"""What a shared feature makes of rows, held to be a number for each, and the names that its parts get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import FeatureError, TotalmlError
from totalml.features.shared.part_names import part_name
from totalml.features.shared.past import TIMESTAMP, numbers
from totalml.features.shared.pictured import BLOB, PICTURE, with_pictures
from totalml.values.shown import counted
from totalml.workers import Crew

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.data import Snapshot
    from totalml.kinds import SharedFeature
    from totalml.store import Store

HERE = Crew()


def rows_of(snapshot: Snapshot) -> pa.Table:
    """The metadata, with `id`, `timestamp` and `blob` of the samples in front."""
    names = ("id", TIMESTAMP, BLOB)
    rows = snapshot.samples.select(names)
    for name in snapshot.metadata.column_names:
        if name not in names:
            rows = rows.append_column(name, snapshot.metadata[name])
    return rows


def values_of(feature: SharedFeature, rows: pa.Table, store: Store | None, crew: Crew = HERE) -> pa.Table:
    """What a feature makes of rows: (N,) float64 for each part, null where missing.

    Args:
        store: with the pictures of the rows; None: it looks at none.
        crew: what decodes them.
    Raises: FeatureError: its code fails, or makes no number for each row.
    """
    if store is None or (size_px := feature.pictures_px()) is None or PICTURE in rows.column_names:
        return _made(feature, rows)
    import pyarrow as pa

    return pa.concat_tables([_made(feature, some) for some in with_pictures(rows, size_px, store, crew)])


def _made(feature: SharedFeature, rows: pa.Table) -> pa.Table:
    import pyarrow as pa

    try:
        made = feature.columns(rows)
    except TotalmlError:
        raise
    except Exception as error:  # code of a recipe's own fails in any way
        raise FeatureError(f"its code failed: {type(error).__name__}: {error}") from error
    if not isinstance(made, pa.Table) or len(made) != len(rows) or not made.column_names:
        told = f"{len(made)} rows, {len(made.column_names)} columns" if isinstance(made, pa.Table) else type(made)
        raise FeatureError(f"it makes {told}; expected an Arrow table of the {len(rows)} rows that it was given")
    values = {name: numbers(made, name) for name in made.column_names}
    for name, found in values.items():
        if (huge := np.abs(found) > np.finfo(np.float32).max).any():
            raise FeatureError(f"part {name!r} is infinite or beyond 3.4e38 in {counted(huge.sum(), 'row')}")
    return pa.table({name: pa.array(found, from_pandas=True) for name, found in values.items()})


def named_columns(name: str, values: pa.Table) -> dict[str, NDArray[np.float32]]:
    """`team/name` of the only part, `team/name.part` of each of several; NaN where missing."""
    parts = values.column_names
    called = {part: name if len(parts) == 1 else part_name(name, part) for part in parts}
    return {called[part]: numbers(values, part).astype(np.float32) for part in parts}
