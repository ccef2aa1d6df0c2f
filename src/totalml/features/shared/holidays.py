"""Public holidays about a row's time."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from totalml.component import Items
from totalml.duration import us_of
from totalml.errors import FeatureError, MissingExtraError
from totalml.features.shared.period import Period
from totalml.kinds import SharedFeature
from totalml.public_holidays import named_holidays
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from datetime import date

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

DAY_US = 86_400_000_000
AHEAD_DAYS = 3650  # that a row looks ahead, whatever rows stand beside it
ALL_YEARS = range(1900, 2101)  # in which a holiday may have its name; some were held once only


class Holidays(SharedFeature):
    """`days`: holidays in the period that begins at a row's time; `to_next`: days until the next one, 0 on it,
    and missing where that is more than 3650.

    Days are those of UTC. They are known in advance, so that those ahead are no look into the future. Needs the package
    `holidays`.
    """

    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]  # ISO 3166
    subdivision: str | None = None
    names: Items[str] = ()  # as the package has them; none: all of the country
    period: Period = "1d"

    def reads(self) -> tuple[str, ...]:
        return ()

    def columns(self, rows: pa.Table) -> pa.Table:
        import numpy as np
        import pyarrow as pa

        from totalml.features.shared.past import TIMESTAMP, times

        time = times(rows, self.event_time or TIMESTAMP)
        holidays = self._days(time)
        first, last = time // DAY_US, (time + us_of(self.period) - 1) // DAY_US
        ahead = np.searchsorted(holidays, first, "left")
        days = np.searchsorted(holidays, last, "right") - ahead
        to_next = np.append(holidays.astype(np.float64), np.nan)[ahead] - first
        to_next[to_next > AHEAD_DAYS] = np.nan
        return pa.table({"days": days.astype(np.float64), "to_next": pa.array(to_next, from_pandas=True)})

    def _days(self, time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Days since 1970, sorted, each once; from before the first row until after the last one."""
        import numpy as np

        years = (np.array([time.min(), time.max()]) if len(time) else np.zeros(2)).astype("datetime64[us]")
        first, last = years.astype("datetime64[Y]").astype(np.int64) + 1970
        longest = max(AHEAD_DAYS, us_of(self.period) // DAY_US + 366)
        named = _named(self.country, self.subdivision, range(int(first), int(last) + 1 + longest // 365))
        there = {name for _, name in named}
        if {*self.names} - there:
            # A holiday that was held once is known of rows of any year, or a service would refuse it a year later.
            known = sorted(there | _names(self.country, self.subdivision))
            if unknown := [name for name in self.names if name not in known]:
                hint = did_you_mean(unknown[0], known) or f"; there are: {', '.join(known)}"
                raise FeatureError(f"{self.country} has no holiday {unknown[0]!r}{hint}")
        found = {day for day, name in named if not self.names or name in self.names}
        return np.array(sorted(found), "datetime64[D]").astype(np.int64)


@lru_cache(maxsize=64)
def _names(country: str, subdivision: str | None) -> frozenset[str]:
    return frozenset(name for _, name in _named(country, subdivision, ALL_YEARS))


def _named(country: str, subdivision: str | None, years: range) -> list[tuple[date, str]]:
    """Raises: FeatureError: the package does not know the country or its part."""
    try:
        return named_holidays(country, subdivision, years)
    except ModuleNotFoundError as error:
        raise MissingExtraError("holidays", "monitor", "a shared feature of kind Holidays") from error
    except NotImplementedError as error:
        raise FeatureError(f"the package holidays does not know it: {error}") from error
