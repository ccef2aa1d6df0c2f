"""Times as tables write them: ISO 8601, EXIF, numbers that count since 1970; without a zone they are taken as UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Unit = Literal["s", "ms", "us", "ns"]

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_ISO = re.compile(r"(\d{4}-\d\d-\d\d|\d{8}|\d{4}-?W\d\d-?\d)([Tt ]\d.*)?")
_EXIF = re.compile(r"(\d{4}):(\d\d):(\d\d)(?= |$)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_US, _LAST_US = (
    round((bound.replace(tzinfo=UTC) - _EPOCH).total_seconds()) * 10**6 for bound in (datetime.min, datetime.max)
)


def as_times(column: pa.ChunkedArray, unit: Unit | None) -> pa.ChunkedArray:
    """The same as timestamps in microseconds, UTC.

    Args:
        unit: what numbers count since 1970; None: the column holds none.
    Raises: ValueError: what it holds is no time, or lies outside of the years 1 to 9999.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    types, kind, wanted = pa.types, column.type, pa.timestamp("us", "UTC")
    if column.null_count == len(column):
        return pa.chunked_array([pa.nulls(len(column), wanted)])
    if types.is_boolean(kind) or types.is_time(kind):
        what = "true and false" if types.is_boolean(kind) else "times of day without a date"
        raise ValueError(f"it holds {what}; {_expected()}")
    if unit and _is_text(kind):
        column = pc.if_else(pc.equal(column, ""), None, column).cast(pa.float64())
    if any(is_number(column.type) for is_number in (types.is_integer, types.is_floating, types.is_decimal)):
        return _within_years(_counted(column, unit))
    if unit is not None:
        raise ValueError(f"it holds {kind}, no numbers; leave out data.source.timestamp_unit")
    if _is_text(kind):
        return pa.chunked_array([pa.array([_read(text) for text in column.to_pylist()], wanted)])
    if types.is_date(kind):
        column = column.cast(pa.timestamp("us"))
    # Nanoseconds are cut off; anything else that does not fit is out of bounds.
    return _within_years(column.cast(wanted, safe=getattr(kind, "unit", None) != "ns"))


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _counted(column: pa.ChunkedArray, unit: Unit | None) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if unit is None:
        raise ValueError(_which_unit(column.drop_null()[:1].to_pylist()))
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64()).cast(pa.timestamp(unit)).cast(pa.timestamp("us", "UTC"), safe=unit != "ns")
    seconds = pc.divide(column.cast(pa.float64()), float(PER_SECOND[unit]))
    known = pc.if_else(pc.is_nan(seconds), None, seconds)
    return pc.round(pc.multiply(known, 1e6)).cast(pa.int64()).cast(pa.timestamp("us", "UTC"))


def _which_unit(first: list[float]) -> str:
    readings = [f"{unit}: {told}" for unit in PER_SECOND for number in first if (told := _told(number, unit))]
    as_read = f" (the first would be, as {', as '.join(readings)})" if readings else ""
    mend = f"say what they count: data.source.timestamp_unit=s, ms, us or ns{as_read}"
    return f"it holds numbers such as {first[0]}; {mend}"


def _told(number: float, unit: str) -> str | None:
    """The day that a number names, if people could have taken photos on it."""
    try:
        day = datetime.fromtimestamp(float(number) / PER_SECOND[unit], UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return f"{day:%Y-%m-%d}" if 1980 <= day.year <= 2100 else None


def _read(text: str | None) -> datetime | None:
    if not (text := (text or "").strip()):
        return None
    written = _EXIF.sub(r"\1-\2-\3", text, count=1) if _EXIF.match(text) else text
    try:
        # A longer row of digits would be read as a date with the rest as its time.
        found = datetime.fromisoformat(written) if _ISO.fullmatch(written) else None
    except ValueError:
        found = None
    if found is None:
        raise ValueError(f"{text!r} is no time; {_expected()}")
    return found.replace(tzinfo=UTC) if found.utcoffset() is None else found


def _expected() -> str:
    return "expected ISO 8601 such as 2024-03-17T18:30:00+01:00, or numbers and data.source.timestamp_unit"


def _within_years(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    bounds = pc.min_max(column.cast(pa.int64())).as_py()
    if bounds["min"] is not None and not _FIRST_US <= bounds["min"] <= bounds["max"] <= _LAST_US:
        raise ValueError("a time in it lies outside of the years 1 to 9999; is data.source.timestamp_unit right?")
    return column
