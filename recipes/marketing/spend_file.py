"""Read a table of sales and spend, and tell every mistake of it at once."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.marketing.meant import meant_days, meant_numbers
from recipes.marketing.periods import WHOLE, Mistake, Places, period_days
from totalml.errors import RecipeError, SnapshotError

if TYPE_CHECKING:
    import pyarrow as pa

NEEDED = ("date", "region", "sales")
SPEND = "spend_"
# What is taken where a column is not given.
OPTIONAL = {"price": 1.0, "temperature": 0.0, "football": 0.0, "size": 1.0}
_ABOVE_ZERO, _ANY = ("price", "size"), ("temperature",)  # all others are 0 or more
_CALENDAR = ("st_patrick", "bank_holidays", "day_of_year", "trend")  # where the table knows better
_TOLD = 20  # kinds of mistakes; more of them say no more
_YEARS = range(1900, 2200)  # others are typing errors, or stand for a day that is not known


@dataclass(frozen=True)
class SpendFile:
    """Args:
    days: of each row, the first of its period.
    regions: of each row.
    period_days: 1 or 7.
    columns: all others, with what is taken where one is not given.
    """

    days: list[date]
    regions: list[str]
    period_days: int
    columns: dict[str, list[Any]]


@dataclass(eq=False)
class _FaultError(Exception):
    """A cell cannot be read. Args: as of `Mistake`."""

    where: str
    what: str
    mend: str


def read_spend(path: Path) -> SpendFile:
    """Raises: SnapshotError: it cannot be read, or all that is wrong with it, by line and column."""
    from totalml.data.table_file import read_table

    try:  # by the name of one column it is told what separates them
        table = read_table(path, ["region"], None, NEEDED[:1])
    except SnapshotError:  # where that one is missing, others may be too: all are told at once
        table = read_table(path, ["region"], None, ())
    _require_columns(path, table.column_names)
    mistakes: list[Mistake] = []
    days = _cells(table, "date", _day, mistakes, meant_days)
    regions = _cells(table, "region", _region, mistakes)
    columns = {name: [value] * table.num_rows for name, value in OPTIONAL.items()}
    for name in table.column_names:
        if name not in NEEDED[:2]:
            rule = _rule(name)
            columns[name] = _cells(table, name, rule, mistakes, meant_numbers) if rule else table[name].to_pylist()
    places = _places(path, table.num_rows)
    length = period_days(days, regions, places, mistakes)
    if mistakes:
        told = _told(mistakes, places)
        raise SnapshotError("\n  ".join([f"the table {path} has mistakes ({len(mistakes)}):", *told]))
    return SpendFile(days, regions, length, columns)


def require_file(path: Path) -> None:
    """Raises: RecipeError: a command line names a table that is not there."""
    if not path.expanduser().is_file():
        raise RecipeError(f"command line: the table {str(path)!r} is no file (seen from {Path.cwd()})")


def _places(path: Path, count: int) -> Places:
    from totalml.data.csv_file import row_lines

    if path.suffix.lower() == ".parquet":
        return Places("row", lambda: range(1, count + 1))
    return Places("line", lambda: row_lines(path, NEEDED[:1]))


def _told(mistakes: list[Mistake], places: Places) -> list[str]:
    """One text for all rows with the same kind of mistake in the same column, in the order of the table.

    Neither those of the table nor those of its cells keep the others from being seen.
    """
    alike: dict[tuple[str | None, str], list[Mistake]] = {}
    for mistake in sorted(mistakes, key=lambda each: each.row):
        alike.setdefault((mistake.column, mistake.what), []).append(mistake)
    whole = [kind for kind in alike.values() if kind[0].row == WHOLE]
    cells = [kind for kind in alike.values() if kind[0].row != WHOLE]
    shown = whole[: max(_TOLD // 2, _TOLD - len(cells))]
    shown += cells[: _TOLD - len(shown)]
    more = [f"and {len(alike) - len(shown)} more"] if len(alike) > len(shown) else []
    return [_kind_told(found, places) for found in shown] + more


def _kind_told(found: list[Mistake], places: Places) -> str:
    first, others = found[0], len({each.where for each in found}) - 1
    more = f" (and {others} other{'s' if others > 1 else ''})" if others else ""
    told = f"{first.where}{more} {first.what}; {first.mend}"
    if first.row == WHOLE:
        return told
    return f"{places.of(*(each.row for each in found))}{f', column {first.column!r}' if first.column else ''}: {told}"


def _require_columns(path: Path, names: list[str]) -> None:
    from totalml.data.paths import meant

    missing = [f"no column {name!r}{meant(name, names)}" for name in NEEDED if name not in names]
    if not any(is_spend(name) for name in names):
        missing.append(f"no column of spend, such as '{SPEND}tv'")
    if missing:
        raise SnapshotError(f"the table {path} has {', '.join(missing)}; it has {names}")


def is_spend(name: str) -> bool:
    return name.startswith(SPEND) and name != SPEND


def _rule(name: str) -> "Callable[[Any], float] | None":
    """How a cell of the column is read; None: as it stands."""
    if name in _ABOVE_ZERO:
        return lambda value: _number(value, 0.0, above=True)
    if name in _ANY:
        return lambda value: _number(value, -math.inf)
    known = name in ("sales", *OPTIONAL, *_CALENDAR) or is_spend(name)
    return (lambda value: _number(value, 0.0)) if known else None


def _cells(
    table: "pa.Table",
    name: str,
    read: "Callable[[Any], Any]",
    mistakes: list[Mistake],
    meant: "Callable[[list[str]], Sequence[Sequence[Any]]]" = lambda texts: [[] for _ in texts],
) -> list[Any]:
    """What each cell says; where it cannot be read, which is told, what is surely meant, else None.

    Args: meant: what each text may mean that cannot be read.
    """
    if (plain := _plain(table[name], name)) is not None:
        return plain
    cells = table[name].to_pylist()
    found: list[Any] = []
    faults: dict[int, _FaultError] = {}
    for row, value in enumerate(cells):
        try:
            found.append(read(value))
        except _FaultError as fault:
            found.append(None)
            faults[row] = fault
    for (row, told), readings in zip(faults.items(), meant([str(cells[row]) for row in faults]), strict=True):
        # Other mistakes are looked for as if it were mended, so that they are told at once.
        found[row] = readings[0] if len(readings) == 1 else None
        mend = f"write {' or '.join(map(str, readings))}" if readings else told.mend
        mistakes.append(Mistake(row, told.where, told.what, mend, name))
    return found


def _plain(column: "pa.ChunkedArray", name: str) -> list[float] | None:
    """A column of numbers of which none is wrong, at once; None: each cell is looked at."""
    import numpy as np
    import pyarrow as pa

    if _rule(name) is None or column.null_count or not (pa.types.is_integer(column.type) or column.type == "double"):
        return None
    numbers = np.asarray(column.cast(pa.float64(), safe=False))
    least = -math.inf if name in _ANY else 0.0
    right = np.isfinite(numbers) & ((numbers > least) if name in _ABOVE_ZERO else (numbers >= least))
    return numbers.tolist() if right.all() else None


def _number(value: Any, least: float, *, above: bool = False) -> float:
    """Raises: _FaultError: what it is instead."""
    bound = "a number" if least == -math.inf else f"a number {'above' if above else 'of at least'} {least:g}"
    if value is None or value == "":
        zero = ", 0 where there was nothing" if least == 0 and not above else ""
        raise _FaultError("it", "is empty or n/a", f"expected {bound}{zero}")
    text = str(value).strip()
    try:
        number = math.nan if isinstance(value, bool | datetime) else float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _FaultError(repr(text), "is no number", f"expected {bound}")
    if number < least or (above and number == least):
        raise _FaultError(f"{number:g}", "is too little", f"expected {bound}")
    return number


def _day(value: Any) -> date:
    """Raises: _FaultError: what it is instead."""
    expected = "expected a day such as 2021-03-15"
    if value is None or value == "":
        raise _FaultError("it", "is empty", expected)
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        if moment.time() != datetime.min.time():
            raise _FaultError(f"{moment:%Y-%m-%d %H:%M}", "has a time of day", expected)
        value = moment.date()
    try:
        day = date.fromisoformat(str(value).strip())
    except ValueError:
        raise _FaultError(repr(str(value)), "is no day", expected) from None
    if day.year not in _YEARS:
        raise _FaultError(f"{day}", f"is not of {_YEARS[0]} to {_YEARS[-1]}", expected)
    return day


def _region(value: Any) -> str:
    """Raises: _FaultError: it is empty."""
    text = str(value or "").strip()
    if not text:
        raise _FaultError("it", "is empty", "expected the name of a region")
    return text
