"""Which season each sample is of.

A season is whole days of the calendar where the samples are from: St Patrick's Day begins at midnight in Dublin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import MissingExtraError, RecipeError
from totalml.monitoring.local_time import days, is_known
from totalml.recipe.seasons import HolidaySettings, SeasonSettings, holiday_dates, parse_dates, parse_rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

Span = tuple[int, int]  # first day and the one after the last, since 1970-01-01

EPOCH = date(1970, 1, 1)
EXTRA = "monitor"


class Seasons:
    """Args:
    settings: of each; where two overlap, the one that stands first counts.
    """

    def __init__(self, settings: Sequence[SeasonSettings]) -> None:
        self.settings = tuple(settings)

    def at(self, times: NDArray[np.int64], zone: str = "UTC") -> NDArray[np.int32]:
        """(N,) which season each is in, as a place in `settings`; -1: in none.

        Args:
            times: (N,) int64 microseconds since 1970 UTC.
            zone: by whose calendar days begin and end, such as Europe/Dublin.
        Raises: RecipeError: there is no such zone, holiday or rule. MissingExtraError.
        """
        found = np.full(len(times), -1, np.int32)
        known = np.flatnonzero(is_known(times))
        if not len(known):
            return found
        day = days(times[known], zone)
        first, last = int(day.min()), int(day.max())
        by_day = np.full(last - first + 1, -1, np.int32)
        for place in reversed(range(len(self.settings))):
            for start, end in spans(self.settings[place], first, last):
                by_day[max(0, start - first) : max(0, end - first)] = place
        found[known] = by_day[day - first]
        return found

    def named(self, times: NDArray[np.int64], zone: str = "UTC") -> dict[str, int]:
        """How many of the times are in each season that there are any of. Args, Raises: as of `at`."""
        counts = np.bincount(self.at(times, zone) + 1, minlength=len(self.settings) + 1)[1:]
        return {each.name: int(count) for each, count in zip(self.settings, counts, strict=True) if count}


def spans(season: SeasonSettings, first: int, last: int) -> Iterator[Span]:
    """Its occurrences that have a day from `first` to `last`, in order. Raises: as of `Seasons.at`."""
    years = range(_date(first).year - 2, _date(last).year + 2)
    if season.dates is not None:
        every = _of_dates(*parse_dates(season.dates), years)
    elif season.rule is not None:
        every = _of_rule(season, season.rule, first - season.days, last)
    else:
        every = _of_holiday(season, season.holiday, years) if season.holiday else iter(())
    yield from (span for span in every if span[0] <= last and span[1] > first)


def _of_dates(first: str, last: str, years: range) -> Iterator[Span]:
    if len(first) > len("03-14"):
        yield _number(date.fromisoformat(first)), _number(date.fromisoformat(last)) + 1
        return
    for year in years:
        # Over New Year it ends in the year after.
        yield _number(_day(year, first)), _number(_day(year + (last < first), last, end=True)) + 1


def _day(year: int, text: str, *, end: bool = False) -> date:
    """29 February of a year that has none is 1 March as a first day, and 28 February as a last one."""
    month, day = map(int, text.split("-"))
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, 2, 28) if end else date(year, 3, 1)


def _of_rule(season: SeasonSettings, rule: str, first: int, last: int) -> Iterator[Span]:
    start, end = (datetime.combine(_date(day), datetime.min.time()) for day in (first, last + 1))
    with _told(season, "python-dateutil"):
        occurrences = parse_rule(rule).between(start, end, inc=True)
    for occurrence in occurrences:
        start_day = _number(occurrence.date())
        yield start_day, start_day + season.days


def _of_holiday(season: SeasonSettings, holiday: HolidaySettings, years: range) -> Iterator[Span]:
    with _told(season, "holidays"):
        dates = holiday_dates(holiday, years)
    for day in dates:
        yield _number(day) - holiday.before, _number(day + timedelta(days=holiday.after)) + 1


@contextmanager
def _told(season: SeasonSettings, package: str) -> Iterator[None]:
    """What settings were not asked where the package was missing."""
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(package, EXTRA, f"season {season.name!r}") from error
    except (ValueError, TypeError) as error:
        raise RecipeError(f"season {season.name!r}: {error}") from error


def _number(day: date) -> int:
    return (day - EPOCH).days


def _date(number: int) -> date:
    return EPOCH + timedelta(days=number)
