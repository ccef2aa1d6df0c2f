"""Shared features as numeric columns of a feature set: at each sample, what was known at its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from totalml.duration import us_of
from totalml.errors import FeatureError
from totalml.features.as_of import join
from totalml.features.shared.columns import HERE, named_columns, rows_of, values_of
from totalml.features.shared.materialised import ENTITY, EVENT_TIME, KNOWN_TIME, VALUE, materialised, timed_values
from totalml.features.shared.past import TIMESTAMP, column_of, times
from totalml.progress import Progress

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.data import Snapshot
    from totalml.features.table import TableColumns
    from totalml.kinds import SharedFeature
    from totalml.recipe import FeaturesRecipe, SharedRecipe
    from totalml.store import Store
    from totalml.workers import Crew

FOR_EVER_US = 2**62  # what an int64 still holds


def with_shared(
    columns: TableColumns,
    features: FeaturesRecipe,
    snapshot: Snapshot,
    store: Store,
    progress: Progress,
    crew: Crew,
) -> TableColumns:
    """The columns, and those of each shared feature: `team/name`, or `team/name.part` where it has several parts.

    Args: features: with the snapshots of their sources.
    Raises: FeatureError: of each feature that fails, or makes no number for each row; all at once.
    """
    made: dict[str, NDArray[np.float32]] = {}
    wrong = []
    rows = rows_of(snapshot) if features.shared else None
    for each in features.shared:
        try:
            made |= named_columns(each.name, values_at(each, rows, store, progress, crew))
        except FeatureError as error:
            wrong.append(f"shared feature {each.name!r}: {error}")
    if wrong:
        raise FeatureError("\n".join(wrong))
    return columns.with_made(made)


def values_at(each: SharedRecipe, rows: pa.Table, store: Store, progress: Progress, crew: Crew = HERE) -> pa.Table:
    """A row for each of the rows, (N,) for each part, null where nothing was known at its time.

    Args: rows: as `rows_of` gives them.
    """
    feature = each.feature
    if feature.source is not None and each.snapshot is not None:
        return joined(feature, rows, materialised(feature, each.snapshot, store, progress, crew))
    if feature.event_time is None and feature.known_time is None:
        return values_of(feature, rows, store, crew)
    return joined(feature, rows, timed_values(feature, rows, store, crew))


def joined(feature: SharedFeature, rows: pa.Table, values: pa.Table) -> pa.Table:
    """Args: values: as `timed_values` gives them."""
    import pyarrow as pa

    times(rows, TIMESTAMP)  # a row without one would silently know nothing
    entity = {f"{ENTITY}{name}": column_of(rows, name) for name in feature.entity}
    parts = [name for name in values.column_names if name.startswith(VALUE)]
    found = join(
        pa.table({**entity, TIMESTAMP: rows[TIMESTAMP]}),
        values,
        by=list(entity),
        left_time=TIMESTAMP,
        event_time=EVENT_TIME,
        known_time=KNOWN_TIME if KNOWN_TIME in values.column_names else None,
        columns=parts,
        ttl_us=None if feature.ttl is None else min(us_of(feature.ttl), FOR_EVER_US),
    )
    return found.select(parts).rename_columns([name.removeprefix(VALUE) for name in parts])
