"""Groups of samples by their metadata, and how to judge many of them at once without crying wolf."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from totalml.quality.columns import codes
from totalml.target import closest

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.data.snapshot import Snapshot

MOST_VALUES = 10_000  # of a column that groups samples; one with more holds names of single samples


@dataclass(frozen=True)
class Column:
    """Args: codes: (N,) number of the sample's group, -1 where it has none."""

    name: str
    codes: NDArray[np.int64]
    values: Sequence[object]


@dataclass(frozen=True)
class Group:
    """Args: rows: (n,) rows of the snapshot, ascending."""

    column: str
    value: object
    rows: NDArray[np.int64]

    @property
    def words(self) -> str:
        return f"{self.column} {self.value!r}"


def columns_by(snapshot: Snapshot, names: Sequence[str]) -> list[Column]:
    """The columns that group samples.

    Args: names: of the metadata, or `group`; empty: every column of text or true/false, and `group`.
    Raises: UnknownColumn.
    """
    known = {name: snapshot.metadata[name] for name in snapshot.metadata.column_names}
    known.setdefault("group", snapshot.samples["group"])
    for name in names:
        if name not in known:
            close = closest(name, known)
            mend = f"did you mean {close!r}?" if close else f"the columns are {sorted(known)}."
            raise UnknownColumn(f"the snapshot has no column {name!r}; {mend}")
    chosen = [_column(name, known[name]) for name in names or known if names or _groups(known[name])]
    return [column for column in chosen if len(column.values) <= MOST_VALUES]


class UnknownColumn(ValueError):
    """A recipe names a column that the snapshot does not have."""


def groups_of(column: Column, least: int) -> Iterator[Group]:
    """Groups of at least `least` samples that leave as many outside."""
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.values))
    order = np.argsort(column.codes, kind="stable")
    starts = np.cumsum([np.count_nonzero(column.codes < 0), *counts])
    for code in np.flatnonzero((counts >= least) & (len(column.codes) - counts >= least)):
        yield Group(column.name, column.values[code], np.sort(order[starts[code] : starts[code + 1]]))


def upper_tail(z: float) -> float:
    """Chance of a standard normal value of at least z."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def corrected(chances: Sequence[float]) -> NDArray[np.float64]:
    """Chances after Holm's correction for how many they are: valid whatever the groups share."""
    given = np.asarray(chances, float)
    order = np.argsort(given, kind="stable")
    stepped = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    result = np.empty_like(given)
    result[order] = np.minimum(stepped, 1.0)
    return result


def _groups(column: pa.ChunkedArray) -> bool:
    import pyarrow as pa

    return pa.types.is_string(column.type) or pa.types.is_boolean(column.type)


def _column(name: str, column: pa.ChunkedArray) -> Column:
    import pyarrow.compute as pc

    # `codes` counts in order of first appearance, as `unique` lists.
    return Column(name, codes(column), pc.unique(column.drop_null()).to_pylist())
