"""Drifts that are planted in drawn traffic, to see whether a monitor finds them: of tables, without a picture.

Each happens from the first row of a history on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.monitoring.observations import Categories, Observations
from totalml.monitoring.traffic import LOSS
from totalml.monitoring.verdict import CONCEPT, COVARIATE, QUALITY
from totalml.release.log_rows import METADATA, PROPERTY, spoken

if TYPE_CHECKING:
    from numpy.typing import NDArray

Change = Callable[[pa.Table, np.random.Generator], pa.Table]

SHARE = 0.1  # of the rows that something happens to
MOST_COMMON = 0.9  # of the rows that have a value which stays away
AGAIN_US = 1_000_000  # after a row, its repetition comes


@dataclass(frozen=True)
class Planted:
    """Args:
    name: for people.
    truth: the cause that it is to be called.
    change: rows as `DrawnTraffic` holds them -> what is made of them.
    """

    name: str
    truth: str
    change: Change


def drifts_for(known: Observations, has_labels: bool, unit: str | None) -> list[Planted]:
    """Those that can be planted where traffic looks like this. Args: unit: metadata column that is left as it is."""
    found = []
    if has_labels:
        found.append(Planted("one right answer in ten turned wrong", CONCEPT, turned_wrong))
    numbers = [*_numbers(known, METADATA), *_numbers(known, PROPERTY)]
    for name, deviation in numbers:
        shift = partial(shifted, name=name, by=deviation)
        found.append(Planted(f"{_short(name)} one deviation higher", COVARIATE, shift))
    for name, value in _commonest(known, unit):
        found.append(Planted(f"no more {_short(name)} {value}", COVARIATE, partial(without, name=name, value=value)))
    for name, _ in numbers[:1]:
        found.append(Planted(f"{_short(name)} missing in one row in ten", QUALITY, partial(missing, name=name)))
    return [*found, Planted("one row in ten repeated", QUALITY, repeated)]


def turned_wrong(rows: pa.Table, random: np.random.Generator) -> pa.Table:
    return _replaced(rows, LOSS, pc.if_else(pc.and_(_some(rows, random), rows[LOSS].is_valid()), 1.0, rows[LOSS]))


def shifted(rows: pa.Table, random: np.random.Generator, name: str, by: float) -> pa.Table:
    moved = pc.add(rows[name].cast(pa.float64()), by)
    whole = pa.types.is_integer(rows.schema.field(name).type)
    return _replaced(rows, name, pc.round(moved) if whole else moved)


def without(rows: pa.Table, random: np.random.Generator, name: str, value: str) -> pa.Table:
    """Nobody sends it any more, and fewer rows come."""
    return rows.filter(pc.fill_null(pc.not_equal(rows[name].cast(pa.string()), value), True))


def missing(rows: pa.Table, random: np.random.Generator, name: str) -> pa.Table:
    return _replaced(rows, name, pc.if_else(_some(rows, random), None, rows[name]))


def repeated(rows: pa.Table, random: np.random.Generator) -> pa.Table:
    """The same once more a second later, as another request."""
    again = rows.filter(_some(rows, random))
    later = pc.add(again["time"].cast(pa.int64()), AGAIN_US)
    again = _replaced(again, "time", later)
    again = _replaced(again, "request_id", pc.binary_join_element_wise(again["request_id"], "again", "-"))
    return pa.concat_tables([rows, again]).sort_by("time")


def _some(rows: pa.Table, random: np.random.Generator) -> pa.Array:
    return pa.array(random.random(len(rows)) < SHARE)


def _replaced(rows: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    field = rows.schema.field(name)
    return rows.set_column(rows.column_names.index(name), field, values.cast(field.type))


def _numbers(known: Observations, prefix: str) -> Iterator[tuple[str, float]]:
    """The first column that is not the same everywhere, and its deviation."""
    for name, values in known.numbers.items():
        deviation = _deviation(values)
        if name.startswith(prefix) and deviation > 0:
            yield name, deviation
            return


def _deviation(values: NDArray[np.float64]) -> float:
    there = values[np.isfinite(values)]
    return float(there.std()) if len(there) else 0.0


def _commonest(known: Observations, unit: str | None) -> Iterator[tuple[str, str]]:
    """Of the first column of categories in which some are common, the one that is most so."""
    for name, each in known.categories.items():
        if name.startswith(METADATA) and name != f"{METADATA}{unit}" and len(each.names) > 1:
            counts = _counts(each)
            if 2 * len(each.names) <= counts.sum() and counts.max() <= MOST_COMMON * known.count:
                yield name, each.names[int(counts.argmax())]
                return


def _counts(each: Categories) -> NDArray[np.intp]:
    return np.bincount(each.codes[each.codes >= 0], minlength=len(each.names))


def _short(name: str) -> str:
    return spoken(name.rpartition(":")[2])
