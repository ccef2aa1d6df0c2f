"""What a monitor looks at, of any table: numbers, categories, scores and embeddings; each has a test that fits it.

The prediction log, a release's reference and `totalml predict` say by the beginning of a column's name what it holds;
any other table is told apart by the types of its columns, and holds numbers and categories alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.errors import DataError
from totalml.release.log_rows import ANSWER, METADATA, PROPERTY
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

EMBEDDING, STRANGENESS = "embedding", "strangeness"
TIMES = ("time", "timestamp")  # of a sample; the first that is there
NO_TIME = np.iinfo(np.int64).min  # of a sample of which it is missing
OF_LOG = (ANSWER, METADATA, PROPERTY)


@dataclass(frozen=True)
class Categories:
    """Args:
    codes: (N,) int32 rows of `names`; -1 where missing.
    """

    codes: NDArray[np.int32]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Observations:
    """N samples.

    Args:
        count: N.
        times: (N,) int64 microseconds since 1970 UTC, `NO_TIME` where missing; None: nobody knows.
        scores: name -> (N,) what the model said: probabilities, values; NaN where it gave no answer.
        embeddings: (N, D) float32, a row of NaN where missing; None: there are none.
        numbers: name -> (N,) image properties, numeric metadata, strangeness; NaN where missing.
        categories: name -> what the model said of classes, and categorical metadata.
        units: (N,) int64; samples of one unit (an uploader, a day) come together, so a test moves them together.
            None: each sample by itself.
    """

    count: int
    times: NDArray[np.int64] | None = None
    scores: Mapping[str, Numbers] = field(default_factory=dict)
    embeddings: NDArray[np.float32] | None = None
    numbers: Mapping[str, Numbers] = field(default_factory=dict)
    categories: Mapping[str, Categories] = field(default_factory=dict)
    units: NDArray[np.int64] | None = None

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Self:
        """Those rows, in that order; a mask keeps theirs."""
        rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return replace(
            self,
            count=len(rows),
            times=None if self.times is None else self.times[rows],
            scores={name: values[rows] for name, values in self.scores.items()},
            embeddings=None if self.embeddings is None else self.embeddings[rows],
            numbers={name: values[rows] for name, values in self.numbers.items()},
            categories={name: Categories(each.codes[rows], each.names) for name, each in self.categories.items()},
            units=None if self.units is None else self.units[rows],
        )


def observe(table: pa.Table, unit: str | None = None) -> Observations:
    """Args:
    table: a prediction log, a release's reference, predictions, or any other table.
    unit: column of which equal values come together; without the beginning of its name that the log gives it too.
    Raises: DataError: there is no column `unit`, or its values are no words, numbers or times.
    """
    of_log = any(name.startswith(OF_LOG) for name in table.column_names)
    scores: dict[str, Numbers] = {}
    numbers: dict[str, Numbers] = {}
    categories: dict[str, Categories] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if of_log and not name.startswith(OF_LOG) and name != STRANGENESS:
            continue
        if _is_number(column.type):
            (scores if name.startswith(ANSWER) else numbers)[name] = as_numbers(column)
        elif _is_category(column.type):
            categories[name] = as_categories(column)
    return Observations(
        count=len(table),
        times=_times(table),
        scores=scores,
        embeddings=_embeddings(table),
        numbers=numbers,
        categories=categories,
        units=None if unit is None else _units(table, unit),
    )


def as_numbers(column: pa.ChunkedArray) -> Numbers:
    """(N,) NaN where missing."""
    values: Numbers = np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
    return values


def as_categories(column: pa.ChunkedArray) -> Categories:
    whole = column.combine_chunks()
    if not pa.types.is_dictionary(whole.type):
        whole = whole.cast(pa.string()).dictionary_encode()
    codes = whole.indices.cast(pa.int32()).fill_null(-1).to_numpy(zero_copy_only=False)
    return Categories(codes, tuple(map(str, whole.dictionary.to_pylist())))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_category(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind))


def _times(table: pa.Table) -> NDArray[np.int64] | None:
    for name in TIMES:
        if name in table.column_names and pa.types.is_timestamp(table[name].type):
            column = table[name]
            if column.null_count < len(column):
                whole = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
                times: NDArray[np.int64] = np.asarray(pc.fill_null(whole, NO_TIME))
                return times
    return None


def _embeddings(table: pa.Table) -> NDArray[np.float32] | None:
    if EMBEDDING not in table.column_names or not len(table):
        return None
    column = table[EMBEDDING]
    if not (pa.types.is_fixed_size_list(column.type) or pa.types.is_list(column.type)):
        return None
    if pa.types.is_fixed_size_list(column.type) and column.num_chunks == 1 and not column.null_count:
        # Arrow's own memory where it holds float32: they are the most of a table, and nobody writes to them.
        whole: NDArray[np.float32] = np.asarray(column.chunk(0).flatten(), np.float32)
        return whole.reshape(len(table), column.type.list_size)
    widths = pc.list_value_length(column)
    if (width := pc.max(widths).as_py()) is None:
        return None
    found = np.full((len(table), width), np.nan, np.float32)
    for some, chunk in zip(_bounds(column), column.iterchunks(), strict=True):
        # Of one release all are as long; those of another, which say something else, count as missing.
        fits = np.asarray(pc.fill_null(pc.equal(pc.list_value_length(chunk), width), False))
        numbers = np.asarray(pc.list_flatten(chunk.filter(pa.array(fits))), np.float32)
        found[some][fits] = numbers.reshape(-1, width)
    return found


def _bounds(column: pa.ChunkedArray) -> list[slice]:
    """Rows of each chunk."""
    ends = np.cumsum([len(chunk) for chunk in column.iterchunks()]).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def _units(table: pa.Table, unit: str) -> NDArray[np.int64]:
    known = {name.removeprefix(METADATA): name for name in table.column_names} | {n: n for n in table.column_names}
    if unit not in known:
        hint = did_you_mean(unit, known) or f"; there are: {', '.join(table.column_names) or 'none'}"
        raise DataError(f"there is no column {unit!r} whose samples come together{hint}")
    column = table[known[unit]]
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        raise DataError(
            f"column {unit!r} holds {column.type}, which cannot say whose samples come together; "
            "name one of words, numbers or days"
        )
    codes = as_categories(column.cast(pa.string())).codes.astype(np.int64)
    # A sample of which nobody knows where it comes from stands alone.
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return codes
