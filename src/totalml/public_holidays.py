"""Public holidays of the package `holidays`, by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


def named_holidays(country: str, subdivision: str | None, years: range) -> list[tuple[date, str]]:
    """Ascending; two of one day are two.

    Args: country: ISO 3166-1, such as IE. subdivision: ISO 3166-2 without the country.
    Raises: NotImplementedError: the package does not know it. ModuleNotFoundError: the package is missing.
    """
    from holidays import country_holidays

    calendar = country_holidays(country, subdiv=subdivision, years=years)
    return [(day, name.strip()) for day, names in sorted(calendar.items()) for name in names.split(";")]
