"""Times in words, and round ones for an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datetime import date

DAY_US = 86_400_000_000
MOST_TICKS = 6
# Of the calendar, since no number of microseconds is a month.
STEPS = (
    *(("h", hours) for hours in (1, 3, 6, 12)),
    *(("D", days) for days in (1, 2, 7, 14)),
    *(("M", months) for months in (1, 2, 3, 6)),
    *(("Y", years) for years in (1, 2, 5, 10, 20, 50, 100)),
)
_YEAR = "January February March April May June July August September October November December"
MONTHS = tuple(_YEAR.split(" "))


def moment(time_us: int) -> str:
    """`2026-03-02`, with hours and minutes unless it is midnight; UTC."""
    whole = np.datetime64(int(time_us), "us")
    return str(whole.astype("datetime64[D]" if time_us % DAY_US == 0 else "datetime64[m]")).replace("T", " ")


def day_of(when: date, year: bool = True) -> str:
    """`2 March 2026`."""
    return f"{when.day} {MONTHS[when.month - 1]}{f' {when.year}' if year else ''}"


def time_ticks(first_us: int, last_us: int) -> list[tuple[float, str]]:
    """(time, its label) of a few round moments between the two."""
    first, last = np.datetime64(int(first_us), "us"), np.datetime64(int(last_us), "us")
    found: list[tuple[float, str]] = []
    for unit, step in STEPS:
        begin, end = (int(each.astype(f"datetime64[{unit}]").astype(np.int64)) for each in (first, last))
        numbers = np.arange(-(-begin // step) * step, end + 1, step)
        if len(numbers) > MOST_TICKS + 1:
            continue
        moments = numbers.astype(f"datetime64[{unit}]").astype("datetime64[us]")
        inside = moments[(moments >= first) & (moments <= last)]
        found = [(float(at), _label(unit, int(at))) for at in inside.astype(np.int64)]
        if len(found) <= MOST_TICKS:
            break
    return found


def _label(unit: str, time_us: int) -> str:
    year, month, day = moment(time_us)[:10].split("-")
    if unit == "Y":
        return year
    if unit == "M":
        return f"{MONTHS[int(month) - 1][:3]} {year}"
    clock = f" {moment(time_us)[11:]}" if time_us % DAY_US else ""
    return f"{int(day)} {MONTHS[int(month) - 1][:3]}{clock}"
