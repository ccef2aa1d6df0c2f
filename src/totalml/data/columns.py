"""Arrow tables from rows, with one type per column."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from totalml.data.paths import normal
from totalml.data.sample import BadSample
from totalml.errors import SnapshotError
from totalml.store.store import to_text

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.data.sample import Row


def sample_table(rows: Sequence[Row]) -> pa.Table:
    """The samples of a snapshot, in the order of the rows."""
    import pyarrow as pa

    def text(values: list[bytes | None]) -> list[str | None]:
        return [None if value is None else to_text(value) for value in values]

    columns = {
        "id": pa.array([row.id for row in rows], pa.string()),
        "blob": pa.array(text([row.blob for row in rows]), pa.string()),
        "size_bytes": pa.array([row.size_bytes for row in rows], pa.int64()),
        "label": pa.array([row.label for row in rows], pa.string()),
        "group": pa.array([row.id if row.group is None else row.group for row in rows], pa.string()),
        "timestamp": pa.array([row.timestamp for row in rows], pa.timestamp("us", "UTC")),
        "mask": pa.array(text([row.mask for row in rows]), pa.string()),
    }
    return pa.table(columns)


def metadata_table(rows: Sequence[Row]) -> pa.Table:
    """The source's own columns, sorted by name; a value that a row lacks is null.

    Raises: SnapshotError: a column mixes types or holds values that no column can.
    """
    import pyarrow as pa

    names = sorted({name for row in rows for name in row.metadata})
    ids = [row.id for row in rows]
    return pa.table({name: _array(name, ids, [row.metadata.get(name) for row in rows]) for name in names})


def skipped_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([("id", pa.string()), ("reason", pa.string())])


def skipped_table(bad: Sequence[BadSample]) -> pa.Table:
    import pyarrow as pa

    ordered = sorted(bad, key=lambda sample: (sample.id, sample.reason))
    columns = [[sample.id for sample in ordered], [sample.reason for sample in ordered]]
    return pa.table(columns, schema=skipped_schema())


def _array(name: str, ids: Sequence[str], values: list[Any]) -> pa.Array:
    import pyarrow as pa

    values = [_plain(value) for value in values]
    kind = _kind(name, ids, values)
    try:
        return pa.array(values, kind)
    except (OverflowError, UnicodeError, pa.ArrowException) as error:
        culprits = [row for row, value in zip(ids, values, strict=True) if not _fits(value, kind)]
        raise SnapshotError(
            f"metadata column {name!r} holds a value that is no {kind}: {error}; in {_some(culprits)}"
        ) from error


def _plain(value: Any) -> Any:
    """A numpy scalar as Python's own; text in one Unicode form; NaN as a missing value."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, str):
        return normal(value)
    return None if value != value else value


def _kind(name: str, ids: Sequence[str], values: Sequence[Any]) -> pa.DataType:
    import pyarrow as pa

    kinds = frozenset(map(type, values)) - {type(None)}
    known = {
        frozenset[type](): pa.string(),
        frozenset({str}): pa.string(),
        frozenset({bool}): pa.bool_(),
        frozenset({int}): pa.int64(),
        frozenset({float}): pa.float64(),
        frozenset({int, float}): pa.float64(),
        frozenset({datetime}): pa.timestamp("us", "UTC"),
    }
    if kinds not in known:
        raise SnapshotError(_mixed(name, ids, values))
    if kinds == {datetime}:
        naive = [row for row, value in zip(ids, values, strict=True) if value and value.utcoffset() is None]
        if naive:
            raise SnapshotError(f"metadata column {name!r} holds times without a time zone, in {_some(naive)}")
    return known[kinds]


def _mixed(name: str, ids: Sequence[str], values: Sequence[Any]) -> str:
    where: dict[str, list[str]] = {}
    for row, value in zip(ids, values, strict=True):
        if value is not None:
            where.setdefault(type(value).__name__, []).append(row)
    found = "; ".join(f"{kind} in {_some(rows)}" for kind, rows in sorted(where.items()))
    return (
        f"metadata column {name!r} must hold one of text, whole numbers, numbers, true/false or times; it holds {found}"
    )


def _fits(value: Any, kind: pa.DataType) -> bool:
    import pyarrow as pa

    try:
        pa.array([value], kind)
    except (OverflowError, UnicodeError, pa.ArrowException):
        return False
    return True


def _some(ids: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in ids[:3])
    return shown if len(ids) <= 3 else f"{shown} and {len(ids) - 3} more"
