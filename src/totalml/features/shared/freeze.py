"""Put into a release what a service needs to make the columns of shared features itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from totalml.component import plain
from totalml.features.as_of.entities import Entities
from totalml.features.latest import write_latest
from totalml.features.shared.columns import rows_of
from totalml.features.shared.frozen import OURS, Frozen
from totalml.features.shared.materialised import ENTITY, EVENT_TIME, KNOWN_TIME, VALUE, materialised
from totalml.features.shared.part_names import places_of
from totalml.features.shared.past import TIMESTAMP, times

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.data import Snapshot
    from totalml.kinds import SharedFeature
    from totalml.recipe import SharedRecipe
    from totalml.store import Store


def freeze(
    shared: Sequence[SharedRecipe],
    names: Sequence[str],
    snapshot: Snapshot,
    rows: NDArray[np.int64],
    store: Store,
    folder: Path,
) -> tuple[Frozen, ...]:
    """Those that a service can make: others are code of a recipe's own, look at pictures, or have a time of their own.

    Args:
        names: of the model's numeric columns.
        rows: of the snapshot, that a service is to be able to answer for as training did, and any later ones.
        folder: where their files go.
    """
    found = []
    for place, each in enumerate(shared):
        columns = tuple(names[at] for at in places_of(each.name, names))
        file = f"shared-{place}.latest"
        if each.snapshot is not None and each.feature.source is not None:
            since = _freeze_values(each.feature, each.snapshot, snapshot, rows, store, folder / file)
            numbers: tuple[str, ...] = ()
        elif (reads := _made_of(each.feature)) is not None:
            numbers, since = reads, np.iinfo(np.int64).min
            if each.feature.looks_back_us():
                since = _freeze_history(each.feature, reads, rows_of(snapshot), rows, folder / file)
        else:
            continue
        there = file if (folder / file).exists() else None
        entity = each.feature.entity if there else ()
        found.append(Frozen(each.name, columns, numbers, entity, plain(each.feature, where=True), there, int(since)))
    return tuple(found)


def _made_of(feature: SharedFeature) -> tuple[str, ...] | None:
    """The columns that a request has to bring for it; None: no service can make it."""
    own_times = feature.event_time is not None or feature.known_time is not None
    reads = None if own_times or not type(feature).__module__.startswith(OURS) else feature.reads()
    return None if reads is None else tuple(dict.fromkeys(reads))


def _freeze_history(
    feature: SharedFeature, reads: Sequence[str], samples: pa.Table, rows: NDArray[np.int64], path: Path
) -> int:
    """Returns: since when, in microseconds since 1970, it tells all that goes in."""
    time = times(samples, TIMESTAMP)
    since = int(time[rows].min(initial=time.max(initial=0)))
    wanted = [TIMESTAMP, *feature.entity, *reads]
    kept = _most(samples, feature.entity, time >= since - feature.looks_back_us())
    until = int(time.max(initial=0))
    write_latest(path, samples, feature.entity, TIMESTAMP, None, [*dict.fromkeys(wanted)], until, kept)
    return since


def _freeze_values(
    feature: SharedFeature, data_hash: str, snapshot: Snapshot, rows: NDArray[np.int64], store: Store, path: Path
) -> int:
    """Returns: as `_freeze_history`."""
    values = materialised(feature, data_hash, store)
    known_time = KNOWN_TIME if KNOWN_TIME in values.column_names else None
    parts = [name for name in values.column_names if name.startswith(VALUE)]
    values = values.rename_columns([name.removeprefix(ENTITY) for name in values.column_names])
    time, asked = times(values, EVENT_TIME), times(snapshot.samples, TIMESTAMP)
    until = int(np.maximum(time, times(values, known_time or EVENT_TIME)).max(initial=0))
    # A correction takes the place of what was known before it, so an earlier question could not be answered.
    since = int(asked.max(initial=0)) if known_time else int(asked[rows].min(initial=asked.max(initial=0)))
    kept = 1 + _most(values, feature.entity, time > since)
    write_latest(path, values, feature.entity, EVENT_TIME, known_time, parts, until, kept)
    return max(since, until) if known_time else since


def _most(rows: pa.Table, entity: Sequence[str], counted: NDArray[np.bool_]) -> int:
    """The largest number of rows that count of one entity, at least 1."""
    numbers = Entities.of(rows, entity).numbers(rows)
    return max(1, int(np.bincount(numbers[counted & (numbers >= 0)]).max(initial=0)))
