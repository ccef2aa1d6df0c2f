"""Write of a table what is known last of each entity."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from totalml.features.as_of.entities import Entities
from totalml.features.as_of.mistakes import mistakes, stop_for
from totalml.features.as_of.timelines import times_us
from totalml.features.latest.layout import to_bytes
from totalml.store.atomic import write_atomically

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]


def write_latest(
    path: Path,
    table: pa.Table,
    by: Sequence[str],
    event_time: str,
    known_time: str | None,
    columns: Sequence[str],
    until_us: int,
    rows: int = 1,
) -> None:
    """Write the latest rows of each entity as of one time; a file that stands there is replaced whole.

    Args:
        table: as the right one of `as_of.join`, with the same rules for nulls and for rows that are alike.
        until_us: microseconds since 1970; what happened or became known later is left out.
        rows: how many events of each entity are kept at most, of each what was known of it last.
    Raises: FeatureError: as `as_of.join`. StoreError: the file cannot be written.
    """
    import pyarrow as pa

    times = [event_time] if known_time is None else [event_time, known_time]
    wrong = mistakes("the table", table.schema, by, times, columns)
    wrong += [f"rows is {rows}; keep at least 1"] if rows < 1 else []
    stop_for(wrong, f"latest values cannot be written to {path}")
    read = [times_us(table[name], name) for name in times]
    (event_us, _), (known_us, _) = read[0], read[-1]
    had = np.logical_and.reduce([there for _, there in read]) & (np.maximum(event_us, known_us) <= until_us)
    entities = Entities.of(table.filter(pa.array(had)), by)
    numbers = np.where(had, entities.numbers(table), -1)
    kept = _last(numbers, event_us, known_us, rows)
    ends = np.cumsum(np.bincount(numbers[kept], minlength=len(entities)))
    index = [*entities.columns, entities.hashes, np.append(0, ends)[:-1], ends]
    values = [*table.select(list(columns)).take(pa.array(kept)).columns, event_us[kept], known_us[kept]]
    told = {"by": list(by), "columns": list(columns), "until_us": int(until_us), "rows": rows}
    written = _table([*columns, "event_us", "known_us"], values).replace_schema_metadata({"latest": json.dumps(told)})
    write_atomically(path, to_bytes(_table([*by, "hash", "first", "end"], index), written))


def _last(numbers: Numbers, event_us: Numbers, known_us: Numbers, count: int) -> Numbers:
    """Rows of the last events of each entity, by entity and then by time."""
    found = np.flatnonzero(numbers >= 0)
    found = found[np.lexsort((known_us[found], event_us[found], numbers[found]))]
    # Of one event what was known last stands last.
    changes = np.diff(numbers[found]) | np.diff(event_us[found])
    found = found[np.append(changes != 0, True)[: len(found)]]
    ends = np.searchsorted(numbers[found], numbers[found], "right")
    return found[ends - np.arange(len(found)) <= count]


def _table(names: Sequence[str], columns: Sequence[object]) -> pa.Table:
    import pyarrow as pa

    return pa.table(list(columns), names=list(names))
