"""Days and hours as the people saw them whose samples these are, of whole arrays at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.errors import RecipeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Times = NDArray[np.int64]

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
# Years 1900 to 2200: beyond, a time is a mistake, and calendars would be drawn up for ages.
EARLIEST, LATEST = -25_567 * DAY_US, 84_006 * DAY_US


def is_known(times: Times) -> NDArray[np.bool_]:
    """Whether a time can be one at all."""
    return (times >= EARLIEST) & (times < LATEST)


def local(times: Times, zone: str) -> Times:
    """(N,) microseconds since 1970 UTC -> since 1970 on the clocks of the zone.

    Args: times: `is_known`, all of them.
    Raises: RecipeError: there is no such zone.
    """
    try:
        moved = pc.local_timestamp(pa.array(times, pa.timestamp("us", zone)))
    except pa.ArrowException as error:
        raise RecipeError(
            f"there is no time zone {zone!r} on this machine; give one such as Europe/Dublin or UTC"
        ) from error
    return np.asarray(moved.cast(pa.int64()), np.int64)


def days(times: Times, zone: str) -> Times:
    """(N,) days since 1970-01-01 by the calendar of the zone."""
    return local(times, zone) // DAY_US


def hours_of_week(times: Times, zone: str) -> Times:
    """(N,) 0, Monday's first hour, to 167, Sunday's last."""
    hours = local(times, zone) // HOUR_US
    return (hours + 3 * 24) % 168  # 1970-01-01 was a Thursday
