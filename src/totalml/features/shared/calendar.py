"""Where a row's time stands in the day, the week and the year."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from totalml.features.shared.parts import Parts
from totalml.kinds import SharedFeature
from totalml.recipe.bounds import Zone

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

Cycle = Literal["day", "week", "year"]


class Calendar(SharedFeature):
    """Numbers of a row's time: a part each. They need no entity.

    `hour` 0..23, `weekday` 0 (Monday)..6, `week` 1..53 (ISO 8601), `month` 1..12, `day_of_year` 1..366. `waves` are
    sine and cosine of the share of a cycle that has passed, and of its multiples: `year_sin1`, `year_cos1`.
    Arrow knows summer time until 2037.
    """

    parts: Parts[Literal["hour", "weekday", "week", "month", "day_of_year"]] = ()
    waves: Annotated[dict[Cycle, Annotated[int, Field(ge=1, le=50)]], Field(default_factory=dict)]  # how many of each
    zone: Zone = "UTC"

    @model_validator(mode="after")
    def _asks_for_some(self) -> Self:
        if not self.parts and not self.waves:
            raise ValueError("name at least one of 'parts', or a cycle in 'waves'")
        return self

    def reads(self) -> tuple[str, ...]:
        return ()

    def columns(self, rows: pa.Table) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        from totalml.features.shared.past import TIMESTAMP, times

        moments = pa.array(times(rows, self.event_time or TIMESTAMP)).cast(pa.timestamp("us", self.zone))
        local = pc.local_timestamp(moments)
        read = {
            "hour": pc.hour,
            "weekday": pc.day_of_week,
            "week": pc.iso_week,
            "month": pc.month,
            "day_of_year": pc.day_of_year,
        }
        made: dict[str, Any] = {name: read[name](local).cast(pa.float64()) for name in self.parts}
        clock = local.to_numpy(zero_copy_only=False)
        # Not in the order of the keys, which does not count for the config hash.
        for cycle in (each for each in get_args(Cycle) if each in self.waves):
            made |= dict(_waves(cycle, self.waves[cycle], _passed(cycle, clock)))
        return pa.table(made)


def _passed(cycle: Cycle, clock: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """(N,) the share of its cycle, in [0, 1), that has passed at each time; a year has 365 or 366 days."""
    import numpy as np

    days = clock.astype("datetime64[D]")
    if cycle == "year":
        year = clock.astype("datetime64[Y]")
        first, after = (each.astype("datetime64[D]") for each in (year, year + 1))
    elif cycle == "week":
        first = days - (days.astype(np.int64) + 3) % 7  # 1 January 1970 was a Thursday
        after = first + 7
    else:
        first, after = days, days + 1
    return (clock - first) / (after - first).astype("timedelta64[us]")


def _waves(cycle: Cycle, count: int, passed: NDArray[np.float64]) -> Iterator[tuple[str, NDArray[np.float64]]]:
    import numpy as np

    for multiple in range(1, count + 1):
        yield f"{cycle}_sin{multiple}", np.sin(2 * np.pi * multiple * passed)
        yield f"{cycle}_cos{multiple}", np.cos(2 * np.pi * multiple * passed)
