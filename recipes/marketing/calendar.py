"""What the calendar alone says of weeks and days: feasts, bank holidays, the place in the year.

Ireland's bank holidays stand here as the rules they are, so that the market is the same whatever is installed; those of
another country come from the package `holidays`.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recipes.marketing import HOME
from totalml.errors import MissingExtraError, RecipeError

Dates = NDArray[np.datetime64]  # of unit day
Numbers = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]  # by name; some hold counts, some numbers

FESTIVAL = (14, 18)  # first and last day of St Patrick's festival, in March
YEAR_DAYS = 365.25
MONDAY = 0
_MARCH = 2  # months since January
_ST_BRIGID_SINCE = 2023
_ONCE = (date(2022, 3, 18),)  # the day of remembrance and recognition


def calendar_columns(starts: Dates, days: int, first: np.datetime64, holidays: Dates) -> dict[str, NDArray[Any]]:
    """Each (T,), of periods that begin at these days.

    Args:
        starts: (T,) first days.
        days: of each period.
        first: where `trend` begins.
        holidays: ascending or not; those of all the periods' years.
    Returns: st_patrick and bank_holidays, days of the period that are; day_of_year, of its middle, 1 is the midnight
        that begins 1 January; trend, years since `first`.
    """
    every = starts[:, None] + np.arange(days)
    middle = starts.astype("datetime64[h]") + np.timedelta64(12 * days, "h")
    in_year = middle - middle.astype("datetime64[Y]").astype("datetime64[h]")
    return {
        "st_patrick": is_festival(every).sum(axis=1),
        "bank_holidays": np.isin(every, holidays).sum(axis=1),
        "day_of_year": 1.0 + in_year / np.timedelta64(24, "h"),
        "trend": (starts - first) / np.timedelta64(1, "D") / YEAR_DAYS,
    }


def is_festival(days: Dates) -> NDArray[np.bool_]:
    """Of any shape: whether each is a day of St Patrick's festival."""
    month = days.astype("datetime64[M]")
    day_of_month = (days - month.astype("datetime64[D]")).astype(np.int64) + 1
    first, last = FESTIVAL
    return (month.astype(np.int64) % 12 == _MARCH) & (first <= day_of_month) & (day_of_month <= last)


def holidays_of(starts: Dates, country: str = HOME, subdivision: str | None = None) -> Dates:
    """Those of all years that begin one of the periods, and of the year after. Args, Raises: as of `bank_holidays`."""
    years = starts.astype("datetime64[Y]").astype(int) + 1970
    return bank_holidays(range(int(years.min()), int(years.max()) + 2), country, subdivision)


def bank_holidays(years: Iterable[int], country: str = HOME, subdivision: str | None = None) -> Dates:
    """(H,) ascending.

    Args:
        country: ISO 3166-1, such as GB.
        subdivision: ISO 3166-2 without the country, such as NIR.
    Raises: MissingExtraError: another country than Ireland is asked of the package `holidays`, which is not installed.
        RecipeError: it knows no such country or subdivision.
    """
    if (country, subdivision) == (HOME, None):
        found = [day for year in years for day in _of_ireland(year)]
    else:
        found = _of_package([*years], country, subdivision)
    return np.array(sorted(found), "datetime64[D]")


def _of_ireland(year: int) -> list[date]:
    """Source: Organisation of Working Time Act 1997, second schedule; S.I. No. 50/2022 for St Brigid's Day."""
    st_brigid = date(year, 2, 1)
    if st_brigid.strftime("%w") != "5":  # on a Friday it stays
        st_brigid = _monday_from(st_brigid)
    return [
        date(year, 1, 1),
        *([st_brigid] if year >= _ST_BRIGID_SINCE else []),
        date(year, 3, 17),
        *(day for day in _ONCE if day.year == year),
        easter(year) + timedelta(days=1),
        _monday_from(date(year, 5, 1)),
        _monday_from(date(year, 6, 1)),
        _monday_from(date(year, 8, 1)),
        _monday_from(date(year, 10, 25)),  # the last of October
        date(year, 12, 25),
        date(year, 12, 26),
    ]


def easter(year: int) -> date:
    """Easter Sunday. Source: Nature, 20 April 1876 (the algorithm of Meeus, Jones and Butcher)."""
    century, of_century = divmod(year, 100)
    golden = year % 19
    correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - century // 4 - correction + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - moon - of_century % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _monday_from(day: date) -> date:
    return day + timedelta(days=(MONDAY - day.weekday()) % 7)


def _of_package(years: list[int], country: str, subdivision: str | None) -> list[date]:
    place = country if subdivision is None else f"{country}-{subdivision}"
    try:
        from holidays import country_holidays

        return [*country_holidays(country, subdiv=subdivision, years=years)]
    except ImportError as error:
        raise MissingExtraError("holidays", "monitor", f"bank_holidays of {place}") from error
    except NotImplementedError as error:
        told = f"the package holidays knows no country or subdivision {place!r} ({error})"
        raise RecipeError(f"{told}. Give one of ISO 3166, such as GB, or NIR of GB.") from error
