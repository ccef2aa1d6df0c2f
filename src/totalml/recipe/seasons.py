"""`seasons` of a monitor: times at which other samples come and nothing is wrong, and what they are compared with."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from totalml.component import Section
from totalml.recipe.bounds import Name

YEAR_BEFORE = "year_before"
LEAP_YEAR = 2024  # by which it is told whether a day of the year is one
APART = ".."
Days = Annotated[int, Field(ge=0, le=366)]


class HolidaySettings(Section):
    """A public holiday; needs the package `holidays`."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]  # ISO 3166-1, such as IE
    name: Annotated[str, Field(min_length=1)]  # as the package has it, such as Saint Patrick's Day
    subdivision: Annotated[str, Field(min_length=1)] | None = None  # ISO 3166-2 without the country, such as BY of DE
    before: Days = 0  # days
    after: Days = 0


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
