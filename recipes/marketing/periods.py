"""Whether rows are days or weeks, and which of them stand twice, apart or not at all.

A period that is missing would shift what is remembered of the spend before it, so it is told rather than guessed.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

DAY, WEEK = 1, 7
WHOLE = -1
Mistake = tuple[int, str]  # row, WHOLE of the whole table, and what is told
_NAMES = {DAY: "day", WEEK: "week"}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def period_days(
    days: Sequence[date | None], regions: Sequence[str | None], names: Sequence[str], mistakes: list[Mistake]
) -> int:
    """1 or 7; what is wrong is added to the mistakes.

    Args:
        days: (N,) first day of each row's period; None where it could not be read.
        regions: (N,), likewise.
        names: (N,) what each row is called.
    """
    rows: dict[str, dict[date, int]] = defaultdict(dict)
    for row, (day, region) in enumerate(zip(days, regions, strict=True)):
        if day is None or region is None:
            continue
        if (first := rows[region].setdefault(day, row)) != row:
            mistakes.append((row, f"{names[row]}: {region!r} on {day} stands in {names[first]} too; keep one of them"))
    # Where a date is wrong, the one that it should be is missing: told once is enough.
    wrong = {region for day, region in zip(days, regions, strict=True) if day is None}
    length = _length(rows, [] if wrong else mistakes)
    if length is None:
        return DAY
    if length == WEEK:
        wrong |= _keep_weekday(rows, names, mistakes)
    for region, by_day in rows.items():
        if region not in wrong:
            _tell_missing(region, sorted(by_day), length, mistakes)
    return length


def _length(rows: dict[str, dict[date, int]], mistakes: list[Mistake]) -> int | None:
    """Of most periods; None if they are neither days nor weeks, which is told."""
    steps: Counter[int] = Counter()
    for by_day in rows.values():
        steps.update((later - day).days for day, later in pairwise(sorted(by_day)))
    if not steps:
        mistakes.append((WHOLE, "no region has two periods; expected days or weeks that follow each other"))
        return None
    usual = min(steps, key=lambda step: (-steps[step], step))
    if usual not in _NAMES:
        mistakes.append(
            (WHOLE, f"rows of a region are mostly {usual} days apart; expected 1, for days, or 7, for weeks")
        )
        return None
    return usual


def _keep_weekday(rows: dict[str, dict[date, int]], names: Sequence[str], mistakes: list[Mistake]) -> set[str]:
    """Tell weeks that begin on another weekday than most. Returns: the regions that have some."""
    begun = Counter(day.weekday() for by_day in rows.values() for day in by_day)
    usual = min(begun, key=lambda weekday: (-begun[weekday], weekday))
    found = set()
    for region, by_day in rows.items():
        for day, row in by_day.items():
            if day.weekday() != usual:
                found.add(region)
                told = f"{day} is a {_WEEKDAYS[day.weekday()]}; other weeks begin on a {_WEEKDAYS[usual]}"
                mistakes.append((row, f"{names[row]}, column 'date': {told}"))
    return found


def _tell_missing(region: str, days: list[date], length: int, mistakes: list[Mistake]) -> None:
    lost = [
        day + timedelta(days=length * number)
        for day, later in pairwise(days)
        for number in range(1, (later - day).days // length)
    ]
    if lost:
        others = f", nor {len(lost) - 1} more" if len(lost) > 1 else ""
        mend = "add each, with 0 where nothing was sold or spent"
        mistakes.append((WHOLE, f"region {region!r} has no {_NAMES[length]} of {lost[0]}{others}; {mend}"))
