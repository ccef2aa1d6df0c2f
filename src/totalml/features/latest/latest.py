"""Look up what is known last of entities, in a file that processes map together and none of them loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import StoreError
from totalml.features.as_of.entities import Entities
from totalml.features.as_of.mistakes import mistakes, stop_for, too_short, unlike
from totalml.features.as_of.timelines import times_us, young
from totalml.features.latest.layout import Damaged, from_buffer

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]


def open_latest(path: Path) -> Latest:
    """Map a file of `write_latest`, and read it once to know that it is whole.

    One that is put in its place later does not change what was opened: open it again.

    Raises: StoreError: it is not there, or was cut or changed.
    """
    import pyarrow as pa

    try:
        return Latest(*from_buffer(pa.memory_map(str(path)).read_buffer()))
    except (OSError, pa.ArrowInvalid, Damaged) as error:
        raise StoreError(f"latest values cannot be read from {path}: {error}. Write them again.") from error


class Latest:
    """Latest values of entities.

    Attributes:
        by: names of the columns that name an entity.
        columns: names of the values.
        until_us: microseconds since 1970 up to which all counted. To a question of before it, what was not known yet is
            not answered; nor is what a later correction has taken the place of.
        rows: how many events of an entity are kept at most.
    """

    def __init__(self, entities: pa.Table, rows: pa.Table) -> None:
        told = json.loads(rows.schema.metadata[b"latest"])
        self.by, self.columns = tuple[str, ...](told["by"]), tuple[str, ...](told["columns"])
        self.until_us, self.rows = int(told["until_us"]), int(told["rows"])
        *named, hashes, first, end = map(_mapped, entities.columns)
        *_, event, known = map(_mapped, rows.columns)
        self._entities = Entities(self.by, named, hashes.to_numpy())
        self._first, self._end = first.to_numpy(), end.to_numpy()
        self._event_us, self._known_us = event.to_numpy(), known.to_numpy()
        self._values = rows.select(range(len(self.columns))).replace_schema_metadata(None)
        self._named = entities.select(range(len(self.by))).schema

    def kind(self, name: str) -> pa.DataType:
        """The type of a column that names an entity."""
        return self._named.field(name).type

    def __len__(self) -> int:
        """How many entities there are."""
        return len(self._entities)

    def lookup(self, asked: pa.Table | pa.RecordBatch, time: str, ttl_us: int | None) -> pa.Table:
        """The values of each row asked for, in its order; null where nothing is known.

        Args:
            asked: (N,) with the entity columns and `time`, as the left table of `as_of.join`.
            ttl_us: how old an event may be at most; None: as old as it likes.
        Raises: FeatureError: as `as_of.join`.
        """
        import pyarrow as pa

        places, known = self._known(asked, time, ttl_us)
        newest = places[np.arange(len(places)), known.argmax(axis=1)]
        return self._values.take(pa.array(newest, mask=~known.any(axis=1)))

    def history(self, asked: pa.Table | pa.RecordBatch, time: str, ttl_us: int | None) -> tuple[Numbers, pa.Table]:
        """All that is kept and known of the entity of each row asked for.

        Returns: (M,) the row asked for, rising, and (M,) its events, oldest first.
        Raises: FeatureError: as `as_of.join`.
        """
        import pyarrow as pa

        places, known = self._known(asked, time, ttl_us)
        found = np.nonzero(known[:, ::-1])
        return found[0], self._values.take(pa.array(places[:, ::-1][found]))

    def _known(
        self, asked: pa.Table | pa.RecordBatch, time: str, ttl_us: int | None
    ) -> tuple[Numbers, NDArray[np.bool_]]:
        """(N, rows) places of an entity's rows, the newest first, and where one stands that counts."""
        wrong = mistakes("what is asked for", asked.schema, self.by, [time], [])
        wrong += unlike(self.by, asked.schema, self._named) + too_short(ttl_us)
        stop_for(wrong, "latest values cannot be looked up")
        times, there = times_us(asked[time], time)
        numbers = self._entities.numbers(asked)
        known = np.zeros((len(numbers), self.rows), np.bool_)
        places = np.zeros(known.shape, np.int64)
        rows = np.flatnonzero(there & (numbers >= 0))
        first, times = self._first[numbers[rows], None], times[rows, None]
        place = self._end[numbers[rows], None] - 1 - np.arange(self.rows)
        places[rows] = held = np.maximum(place, first)
        had = np.maximum(self._event_us[held], self._known_us[held])
        known[rows] = (place >= first) & (had <= times)
        if ttl_us is not None:
            known[rows] &= young(self._event_us[held], times, ttl_us)
        return places, known


def _mapped(column: pa.ChunkedArray) -> pa.Array:
    """The one array of which it is written; joining even that would copy it into each process."""
    return column.chunk(0) if column.num_chunks else column.combine_chunks()
