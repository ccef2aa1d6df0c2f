"""Whether rows are days or weeks, and which of them stand twice, apart or not at all.

A period that is missing would shift what is remembered of the spend before it, so it is told rather than guessed.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise

DAY, WEEK = 1, 7
WHOLE = -1
_NAMES = {DAY: "day", WEEK: "week"}
# A region may begin later than others, and what was spent before counts as unknown; so unknown rows need no invention.
_ADD = (
    "add each, with 0 only where nothing was sold or spent; where that is not known, keep the rows of the region after "
    "it, or those before it, alone"
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Mistake:
    """Args:
    row: from 0; `WHOLE`: the table.
    where: what is wrong: a value, a region.
    what: is wrong with it; those of one column that say the same are told together.
    mend: of it.
    """

    row: int
    where: str
    what: str
    mend: str
    column: str | None = None


@dataclass(frozen=True)
class Places:
    """Args:
    word: what a person finds a row by: a line of the file, or a row of what is no text.
    look: (N,) the number of each row; asked where there is a mistake to tell.
    """

    word: str
    look: Callable[[], Sequence[int]]

    @cached_property
    def numbers(self) -> Sequence[int]:
        return self.look()

    def of(self, *rows: int) -> str:
        """`line 7`, `lines 7 to 9`, `lines 7, 9, 12 and 4 more`."""
        shown = [str(self.numbers[row]) for row in rows]
        if len(rows) == 1:
            return f"{self.word} {shown[0]}"
        if rows[-1] - rows[0] + 1 == len(rows):
            return f"{self.word}s {shown[0]} to {shown[-1]}"
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        return f"{self.word}s {', '.join(shown[:3])}{more}"


def period_days(
    days: Sequence[date | None], regions: Sequence[str | None], places: Places, mistakes: list[Mistake]
) -> int:
    """1 or 7; what is wrong is added to the mistakes.

    Args:
        days: (N,) first day of each row's period; None where it could not be read.
        regions: (N,), likewise.
    """
    rows: dict[str, dict[date, int]] = defaultdict(dict)
    for row, (day, region) in enumerate(zip(days, regions, strict=True)):
        if day is None or region is None:
            continue
        if (first := rows[region].setdefault(day, row)) != row:
            mend = f"keep it or {places.of(first)}"
            mistakes.append(Mistake(row, f"{region!r} on {day}", "is there twice", mend))
    # Where a date is wrong, the one that it should be is missing: told once is enough.
    wrong = {region for day, region in zip(days, regions, strict=True) if day is None}
    length = _length(rows, [] if wrong else mistakes)
    if length is None:
        return DAY
    if length == WEEK:
        wrong |= _keep_weekday(rows, mistakes)
    _tell_missing({region: sorted(rows[region]) for region in rows if region not in wrong}, length, mistakes)
    return length


def _length(rows: dict[str, dict[date, int]], mistakes: list[Mistake]) -> int | None:
    """Of most periods; None if they are neither days nor weeks, which is told."""
    steps: Counter[int] = Counter()
    for by_day in rows.values():
        steps.update((later - day).days for day, later in pairwise(sorted(by_day)))
    if not steps:
        mistakes.append(Mistake(WHOLE, "no region", "has two periods", "expected days or weeks that follow each other"))
        return None
    usual = min(steps, key=lambda step: (-steps[step], step))
    if usual not in _NAMES:
        told = f"are mostly {usual} days apart"
        mistakes.append(Mistake(WHOLE, "rows of a region", told, "expected 1, for days, or 7, for weeks"))
        return None
    return usual


def _keep_weekday(rows: dict[str, dict[date, int]], mistakes: list[Mistake]) -> set[str]:
    """Tell weeks that begin on another weekday than most. Returns: the regions that have some."""
    begun = Counter(day.weekday() for by_day in rows.values() for day in by_day)
    usual = min(begun, key=lambda weekday: (-begun[weekday], weekday))
    found = set()
    for region, by_day in rows.items():
        for day, row in by_day.items():
            if day.weekday() != usual:
                found.add(region)
                told = f"is a {_WEEKDAYS[day.weekday()]}"
                mistakes.append(Mistake(row, f"{day}", told, f"other weeks begin on a {_WEEKDAYS[usual]}", "date"))
    return found


def _tell_missing(regions: Mapping[str, list[date]], length: int, mistakes: list[Mistake]) -> None:
    for region, days in regions.items():
        lost = [
            day + timedelta(days=length * number)
            for day, later in pairwise(days)
            for number in range(1, (later - day).days // length)
        ]
        if lost:
            others = f", nor {len(lost) - 1} more" if len(lost) > 1 else ""
            what = f"has no {_NAMES[length]} of {lost[0]}{others}"
            mistakes.append(Mistake(WHOLE, f"region {region!r}", what, _ADD))
