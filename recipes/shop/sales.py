"""Samples for Total ML: days of a shop, drawn by a stated rule, so that what a change does to sales is known.

Imports of numpy stay inside the methods, because validating a recipe imports this module.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from totalml.data.sample import Sample
from totalml.kinds import Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEAST = 358  # day of the year, of 365
YEARS_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SALES, _ELASTICITY, _PEAK, _PEAK_DAYS, _ADVERTISED = 120.0, -1.3, 1.2, 10.0, 0.5
_OF_WEEKDAY = (0.8, 0.8, 0.9, 1.0, 1.3, 1.5, 0.7)
_NOISE = 0.12


class SalesSource(Source):
    """Days with `price`, `tv` (advertising, 0..1), `weekday`, `days_to_feast` (-182..182) and `sold`."""

    count: Annotated[int, Field(gt=0, le=10_000_000)]
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    first_day: Annotated[int, Field(ge=0, lt=365)] = 0  # of the year
    days: Annotated[int, Field(ge=1, le=365)] = 365  # from there on, into the next year if need be
    price_factor: Annotated[float, Field(gt=0, le=10)] = 1.0
    advertises: bool = True  # else `tv` is 0, and does nothing
    feast_late_days: Annotated[int, Field(ge=-60, le=60)] = 0  # how far people's season is from the calendar's

    def samples(self) -> Iterator[Sample]:
        import numpy as np

        random = np.random.default_rng(self.seed)
        day = (self.first_day + random.integers(0, self.days, self.count)) % 365
        price = np.round(self.price_factor * random.uniform(3.0, 5.0, self.count), 2)
        advertised = np.round(random.beta(1.0, 2.0, self.count), 3)
        tv = advertised if self.advertises else np.zeros(self.count)
        sold = random.normal(1.0, _NOISE, self.count) * expected_sales(day, price, tv, self.feast_late_days)
        for row in range(self.count):
            yield Sample(
                id=f"day-{row:07d}",
                image=None,
                label=None,
                timestamp=YEARS_BEGIN + timedelta(days=int(day[row]), hours=18),
                metadata={
                    "price": float(price[row]),
                    "tv": float(tv[row]),
                    "weekday": WEEKDAYS[day[row] % 7],
                    "days_to_feast": int((FEAST - day[row] + 182) % 365 - 182),
                    "sold": float(max(0, round(sold[row]))),
                },
            )

    def fingerprint(self) -> str:
        """Arguments and code alone decide the rows, and both count anyway."""
        return "drawn"

    def watched(self) -> list[Path]:
        return []


def expected_sales(
    day: "NDArray[np.int64]", price: "NDArray[np.float64]", tv: "NDArray[np.float64]", feast_late_days: int = 0
) -> "NDArray[np.float64]":
    """(N,) units: falls with the price, grows with advertising, peaks at the feast."""
    import numpy as np

    to_feast = (FEAST + feast_late_days - day + 182) % 365 - 182
    season = 1 + _PEAK * np.exp(-0.5 * (to_feast / _PEAK_DAYS) ** 2)
    weekday = np.array(_OF_WEEKDAY)[day % 7]
    sales: NDArray[np.float64] = _SALES * (price / 4.0) ** _ELASTICITY * season * weekday * (1 + _ADVERTISED * tv)
    return sales
