"""Durations as recipes write them: `30d`, `12h`, `90min`."""

import re
from typing import Annotated

from pydantic import AfterValidator

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


def seconds_of(duration: str) -> float:
    """`90min` -> 5400.

    Raises: ValueError: it is no duration.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", duration.strip())
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"expected a duration such as 30d, 12h, 90min, 10s or 2w, got {duration!r}")
    return float(found[1]) * _UNITS[found[2]]


def us_of(duration: str) -> int:
    """`1w` -> microseconds, as times are counted."""
    return round(1e6 * seconds_of(duration))


def _duration(text: str) -> str:
    seconds_of(text)
    return text


Duration = Annotated[str, AfterValidator(_duration)]
