"""A table as the checks of its quality look at it: observations, and beside them types, times and failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.monitoring.observations import (
    EMBEDDING,
    NO_TIME,
    STRANGENESS,
    TIMES,
    Categories,
    Observations,
    as_categories,
    observe,
)
from totalml.release.log_rows import ANSWER, METADATA, PROPERTY

if TYPE_CHECKING:
    from numpy.typing import NDArray

AT_ONCE = 65_536  # rows
ERROR, INPUT, REPLICA, SEGMENT = "error", "input", "replica", "segment"

_KINDS = {
    "true or false": pa.types.is_boolean,
    "times": pa.types.is_timestamp,
    "lists": lambda kind: pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind),
}


@dataclass(frozen=True)
class Seen:
    """N rows.

    Args:
        observations: of them; embeddings are not looked at.
        kinds: column -> `numbers`, `words`, `true or false`, `times`, `lists` or the name of another type; those of
            which quality is asked.
        moments: column -> (N,) int64 microseconds since 1970 UTC, `NO_TIME` where missing.
        arrival: column of `moments` that says when a row came; empty: nobody knows.
        failed: (N,) whether there is no answer.
        inputs: (N,) hashes of what was sent; None: they are not known.
        written: (N,) codes of whose clock the times are from, and (N,) numbers that rise as it wrote.
    """

    observations: Observations
    kinds: Mapping[str, str]
    moments: Mapping[str, NDArray[np.int64]]
    arrival: str
    failed: NDArray[np.bool_]
    inputs: pa.Array | None
    written: tuple[NDArray[np.int64], NDArray[np.int64]]

    @classmethod
    def of(cls, source: pa.Table | Observations, unit: str | None = None) -> Seen:
        if isinstance(source, Observations):
            return _of_observations(source)
        found = observe(source.drop_columns([EMBEDDING]) if EMBEDDING in source.column_names else source, unit)
        kinds, moments = {}, {}
        for name, column in zip(source.column_names, source.columns, strict=True):
            if pa.types.is_timestamp(column.type) and (name in TIMES or _is_asked(name, source)):
                moments[name] = _moments(column)
            if _is_asked(name, source) and not pa.types.is_null(column.type):
                kinds[name] = _kind(name, column.type, found)
        arrival = next((name for name in TIMES if name in moments), "")
        failed = np.zeros(len(source), np.bool_)
        if ERROR in source.column_names:
            failed = source[ERROR].is_valid().to_numpy().astype(np.bool_)
        inputs = source[INPUT].combine_chunks() if INPUT in source.column_names else None
        return cls(found, kinds, moments, arrival, failed, inputs, _written(source))

    def take(self, rows: NDArray[np.bool_]) -> Seen:
        if rows.all():
            return self
        return Seen(
            self.observations.take(rows),
            self.kinds,
            {name: values[rows] for name, values in self.moments.items()},
            self.arrival,
            self.failed[rows],
            None if self.inputs is None else self.inputs.filter(pa.array(rows)),
            (self.written[0][rows], self.written[1][rows]),
        )

    @property
    def count(self) -> int:
        return self.observations.count

    @cached_property
    def numbers(self) -> Mapping[str, NDArray[np.float64]]:
        """What was sent and what was said of it."""
        return {**self.observations.numbers, **self.observations.scores}

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """Rows as they came; as they stand where nobody knows when."""
        return np.argsort(self.moments[self.arrival], kind="stable") if self.arrival else np.arange(self.count)

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """(N,) 1; where samples come together, that of each unit is 1."""
        if self.observations.units is None:
            return np.ones(self.count)
        _, unit, sizes = np.unique(self.observations.units, return_inverse=True, return_counts=True)
        return 1 / sizes[unit]

    def ordered(self, name: str) -> NDArray[np.float64]:
        """Of a column of numbers those that are there, ascending."""
        if name not in self._ordered:
            values = self.numbers[name]
            self._ordered[name] = np.sort(values[~np.isnan(values)])
        return self._ordered[name]

    @cached_property
    def _ordered(self) -> dict[str, NDArray[np.float64]]:
        return {}

    def has(self, name: str) -> bool:
        """Whether it is a column of numbers, words or times, of which a value can be missing."""
        return name in self.moments or name in self.numbers or name in self.observations.categories

    def missing(self, name: str) -> NDArray[np.bool_]:
        """(N,) Args: name: of a column that it `has`."""
        if name in self.moments:
            return self.moments[name] == NO_TIME
        if name in self.observations.categories:
            return self.observations.categories[name].codes < 0
        return np.isnan(self.numbers[name])


def together(known: Categories, seen: Categories) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The codes of both in one numbering, in which equal names have equal codes; -1 stays."""
    names = pa.chunked_array([pa.array(known.names, pa.string()), pa.array(seen.names, pa.string())])
    places = names.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    places = np.append(places, -1)
    before, after = places[: len(known.names)], places[len(known.names) :]
    return np.append(before, -1)[known.codes], after[seen.codes]


def row_keys(seen: Seen, names: Sequence[str]) -> NDArray[np.uint64]:
    """(N,) equal where rows are, of any table. Args: names: of columns that count; none: the hash of the input does."""
    keys = np.zeros(seen.count, np.uint64)
    if not names and seen.inputs is not None:
        unknown = np.asarray(seen.inputs.is_null())
        keys = _mixed(keys, np.where(unknown, np.uint64(0), _of_inputs(seen.inputs)))
        # A row of which nobody knows the input is equal to none.
        return np.where(unknown, _mixed(keys, np.arange(seen.count).astype(np.uint64)), keys)
    for name in names:
        is_number = name in seen.numbers
        keys = _mixed(keys, _bits(seen.numbers[name]) if is_number else _of_words(seen.observations.categories[name]))
    return keys


def shared_columns(known: Seen, seen: Seen) -> tuple[str, ...]:
    """By which rows of both are equal; none where both tell the hash of the input."""
    if known.inputs is not None and seen.inputs is not None:
        return ()
    one, other = ({*each.numbers, *each.observations.categories} for each in (known, seen))
    return tuple(sorted(one & other))


def _of_words(words: Categories) -> NDArray[np.uint64]:
    return np.append(_hashes(words.names), np.uint64(0))[words.codes]


def _of_inputs(inputs: pa.Array) -> NDArray[np.uint64]:
    """(N,) as of words, which hardly ever repeat; some at a time, since as objects of Python they take most memory."""
    plain = inputs.cast(pa.string()).fill_null("")
    slices = (plain.slice(first, AT_ONCE).to_pylist() for first in range(0, len(plain), AT_ONCE))
    return np.concatenate([np.zeros(0, np.uint64), *map(_hashes, slices)])


def _hashes(words: Sequence[str]) -> NDArray[np.uint64]:
    each = (int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little") for word in words)
    return np.fromiter(each, np.uint64, len(words))


def _bits(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    plain = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, and one zero
    return plain.view(np.uint64)


def _mixed(keys: NDArray[np.uint64], values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Source: splitmix64 (Steele, Lea and Flood 2014)."""
    keys = keys * np.uint64(0x9E3779B97F4A7C15) + values
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def _of_observations(found: Observations) -> Seen:
    numbers = {**found.numbers, **found.scores}
    kinds = dict.fromkeys(numbers, "numbers") | dict.fromkeys(found.categories, "words")
    moments = {} if found.times is None else {TIMES[0]: np.asarray(found.times, np.int64)}
    arrival = TIMES[0] if moments else ""
    nothing = np.zeros(found.count, np.int64)
    failed = nothing.astype(np.bool_)
    return Seen(replace(found, embeddings=None), kinds, moments, arrival, failed, None, (nothing, nothing))


def _written(table: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of a log, which gives its files in no order; of another table its rows follow each other."""
    nothing = np.zeros(len(table), np.int64)
    if not {REPLICA, SEGMENT} <= {*table.column_names}:
        return nothing, nothing
    return as_categories(table[REPLICA]).codes.astype(np.int64), np.asarray(pc.fill_null(table[SEGMENT], 0), np.int64)


def _is_asked(name: str, table: pa.Table) -> bool:
    of_log = any(each.startswith((ANSWER, METADATA, PROPERTY)) for each in table.column_names)
    return name.startswith((ANSWER, METADATA, PROPERTY)) or name == STRANGENESS if of_log else name not in TIMES


def _kind(name: str, kind: pa.DataType, found: Observations) -> str:
    for words, fits in _KINDS.items():
        if fits(kind):
            return words
    if name in found.numbers or name in found.scores:
        return "numbers"
    return "words" if name in found.categories else str(kind)


def _moments(column: pa.ChunkedArray) -> NDArray[np.int64]:
    whole = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
    return np.asarray(pc.fill_null(whole, NO_TIME).to_numpy(), np.int64)
