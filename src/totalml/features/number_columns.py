"""Metadata columns of numbers that are to be predicted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import FeatureError
from totalml.features.targets import Targets
from totalml.target import did_you_mean
from totalml.values.shown import counted

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.data import Snapshot

NAMED_AT_MOST = 10
# Float32 may not cost more than so much of a column's deviation.
LEAST_EXACT = 1e-3


def read_numbers(names: Sequence[str], snapshot: Snapshot, also_wrong: Sequence[str] = ()) -> Targets:
    """(N, T) float32.

    Args: also_wrong: mistakes beside the columns, told with theirs.
    Raises: FeatureError: a column is not there, holds no numbers, or lacks some; all of them at once.
    """
    ids = snapshot.samples["id"]
    metadata, wrong, read = snapshot.metadata, [*also_wrong], []
    for name in names:
        if name not in metadata.column_names:
            hint = did_you_mean(name, metadata.column_names)
            there = hint or f"; there are: {_listed(metadata.column_names)}"
            if name == "label":
                there = ": a column of that name holds each sample's class; give it another name in the table"
            wrong.append(_of(name, f"no metadata column{there}"))
        elif (kind := _no_number(metadata[name].type)) is not None:
            wrong.append(_of(name, f"of type {kind}, not a number. {MENDS.get(kind, 'Give a column of numbers.')}"))
        else:
            values = metadata[name].cast("float64").to_numpy()
            wrong += [_of(name, mistake) for mistake in _mistakes(values, ids)]
            read.append(values)
    if wrong:
        raise FeatureError("\n".join(wrong))
    return Targets(tuple(names), np.stack(read, axis=1).astype(np.float32))


def series_mistakes(name: str, snapshot: Snapshot) -> list[str]:
    """What keeps a metadata column from naming the series of each sample."""
    import pyarrow.types as types

    names = snapshot.metadata.column_names
    if name not in names:
        hint = did_you_mean(name, names) or f"; there are: {_listed(names)}"
        return [f"task.series: {name!r} is no metadata column{hint}"]
    column = snapshot.metadata[name]
    if not (types.is_string(column.type) or types.is_integer(column.type)):
        return [f"task.series: {name!r} is of type {column.type}; a series has a name or a whole number."]
    missing = np.flatnonzero(column.is_null().to_numpy())
    return [f"task.series: {name!r} is {_lacking('missing', missing, snapshot.samples['id'])}"] if len(missing) else []


MENDS = {
    "bool": "Make it 0 and 1, or classify it.",
    "string": "Make it numbers, or classify it with totalml.task.Classification.",
}


def _mistakes(values: NDArray[np.float64], ids: pa.ChunkedArray) -> Iterator[str]:
    for what, found in (("missing", np.isnan(values)), ("infinite", np.isinf(values))):
        if found.any():
            yield _lacking(what, np.flatnonzero(found), ids)
    finite = values[np.isfinite(values)]
    # Beyond 3.4e38 the cast overflows to infinity, which is as inexact as can be.
    with np.errstate(over="ignore"):
        lost = np.abs(finite.astype(np.float32) - finite).max(initial=0.0)
    if lost > LEAST_EXACT * finite.std() > 0:
        yield (
            f"not told apart in float32: rounding moves it by up to {lost:.3g}, and its deviation is "
            f"{finite.std():.3g}. Subtract a constant from it."
        )


def _lacking(what: str, rows: NDArray[np.int64], ids: pa.ChunkedArray) -> str:
    named = _listed(ids.take(rows[:NAMED_AT_MOST]).to_pylist())
    more = ", ..." if len(rows) > NAMED_AT_MOST else ""
    return f"{what} in {counted(len(rows), 'sample')}: {named}{more}. Fill it in or leave these samples out."


def _no_number(kind: pa.DataType) -> str | None:
    import pyarrow.types as types

    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return None
    return str(kind)


def _of(name: str, mistake: str) -> str:
    return f"task.targets: {name!r} is {mistake}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names)) or "none"
