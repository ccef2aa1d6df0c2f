"""`seasons` of a monitor: times at which other samples come and nothing is wrong, and what they are compared with."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from totalml.component import Misfit, Section
from totalml.public_holidays import named_holidays
from totalml.recipe.bounds import Name
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from dateutil.rrule import rrulebase

YEAR_BEFORE = "year_before"
LEAP_YEAR = 2024  # by which it is told whether a day of the year is one
APART = ".."
YEARS = range(1990, 2051)  # in which a holiday has to be one; some began lately, and some were once
Days = Annotated[int, Field(ge=0, le=366)]


class HolidaySettings(Section):
    """A public holiday; needs the package `holidays`."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]  # ISO 3166-1, such as IE
    name: Annotated[str, Field(min_length=1)]  # as the package has it, such as Saint Patrick's Day
    subdivision: Annotated[str, Field(min_length=1)] | None = None  # ISO 3166-2 without the country, such as BY of DE
    before: Days = 0  # days
    after: Days = 0

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        with suppress(ImportError):  # a machine that does not watch can do without the package
            holiday_dates(self, YEARS)
        return self


class SeasonSettings(Section):
    """A season; its days are given in one of three forms."""

    name: Name
    # 03-14..03-20 each year, over New Year too; 2026-03-14..2026-03-20 once; or one day.
    dates: str | None = None
    # An iCalendar rule (RFC 5545), such as FREQ=YEARLY;BYMONTH=11;BYDAY=4TH; needs the package python-dateutil.
    rule: Annotated[str, Field(min_length=1)] | None = None
    days: Annotated[int, Field(ge=1, le=366)] = 1  # that the season lasts from each day of the rule on
    holiday: HolidaySettings | None = None
    reference: Literal["year_before"] | None = None  # the same season a year ago; null: it is only stated

    @field_validator("dates")
    @classmethod
    def _dates_are_dates(cls, text: str | None) -> str | None:
        if text is not None:
            parse_dates(text)
        return text

    @field_validator("rule")
    @classmethod
    def _rule_is_of_days(cls, text: str | None) -> str | None:
        if text is not None and (often := re.search("HOURLY|MINUTELY|SECONDLY", text.upper())):
            raise ValueError(f"a season is of whole days, so FREQ is DAILY, WEEKLY, MONTHLY or YEARLY, not {often[0]}")
        if text is not None:
            with suppress(ImportError):
                parse_rule(text)
        return text

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        forms = [name for name in ("dates", "rule", "holiday") if getattr(self, name) is not None]
        if len(forms) != 1:
            given = " and ".join(forms) or "none of them"
            raise ValueError(f"season {self.name!r} needs one of dates, rule and holiday, got {given}")
        if self.days != 1 and self.rule is None:
            raise ValueError(
                f"season {self.name!r} has days {self.days}, which belong to a rule; write dates as a range"
            )
        return self


def parse_dates(text: str) -> tuple[str, str]:
    """First and last day, both MM-DD or both YYYY-MM-DD.

    Raises: ValueError: they are not.
    """
    first, apart, last = (part.strip() for part in text.partition(APART))
    ends = (first, last if apart else first)
    expected = f"expected days such as 03-14..03-20 of each year, or 2026-03-14..2026-03-20, got {text!r}"
    if len({len(end) for end in ends}) != 1:
        raise ValueError(expected)
    for end in ends:
        try:
            date.fromisoformat(f"{LEAP_YEAR}-{end}" if re.fullmatch(r"\d\d-\d\d", end) else end)
        except ValueError as error:
            raise ValueError(f"{expected}; {error}") from None
    if len(first) > len("03-14") and ends[0] > ends[1]:
        raise ValueError(f"the first day {ends[0]} comes after the last one {ends[1]}")
    return ends


def parse_rule(text: str) -> rrulebase:
    """Raises: ValueError: it is none, or no day ever comes. ImportError: python-dateutil is missing."""
    from dateutil.rrule import rrulestr

    try:
        if re.search(r"INTERVAL=(?!0*[1-9])", text.upper()):  # which would be looked for without end
            raise ValueError("INTERVAL is to be 1 or more")
        # Without a first day of its own, intervals count from 1970.
        rule = rrulestr(text, dtstart=datetime(1970, 1, 1), ignoretz=True)
        if rule.after(datetime(1970, 1, 1), inc=True) is None:
            raise ValueError("it gives no day since 1970")
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        mend = "Give one of RFC 5545, such as FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=17."
        raise ValueError(f"{text!r} is no iCalendar rule of days ({error}). {mend}") from error
    return rule


def holiday_dates(holiday: HolidaySettings, years: range) -> list[date]:
    """Ascending, of these years at least.

    Raises: ValueError: no such country, subdivision or holiday. ImportError: the package `holidays` is missing.
    """
    country, subdivision = holiday.country, holiday.subdivision
    wide = range(min(years.start, YEARS.start), max(years.stop, YEARS.stop))
    try:
        named = named_holidays(country, subdivision, wide)
    except NotImplementedError as error:
        key, given = ("country", country) if subdivision is None else ("subdivision", f"{country}-{subdivision}")
        told = f"the package holidays knows no {key} {given!r} ({error}); give one of ISO 3166, such as IE, or BY of DE"
        raise Misfit(told, key) from error
    wanted = [day for day, name in named if name.casefold() == holiday.name.casefold()]
    if not wanted:
        every = sorted({name for _, name in named})
        mend = did_you_mean(holiday.name, every) or f"; there are: {', '.join(every)}"
        raise Misfit(f"{country} has no holiday {holiday.name!r}{mend}", "name")
    return wanted
