"""Samples for Total ML: regions and weeks, or days, of a market of which the truth is known.

Imports of numpy stay inside the methods, because validating a recipe imports this module.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from recipes.marketing.arguments import MarketArguments
from totalml.data.sample import Sample
from totalml.kinds import Source


class MarketSource(MarketArguments, Source):
    """Rows with `sales` (pints), `spend_tv` and so on (EUR), and what else is known of a region and a period.

    Further columns: region, price (EUR a pint), temperature (degrees C above what is usual), football (matches),
    st_patrick and bank_holidays (days), day_of_year (1.0 to 366.5, of the middle of the period), trend (years since the
    first row of all) and size (thousands of people).
    """

    def samples(self) -> Iterator[Sample]:
        import numpy as np

        world = self.world()
        rows = self.rows(world)
        since = rows.starts[0] if self.since is None else np.datetime64(self.since)
        until = rows.starts[-1] if self.until is None else np.datetime64(self.until)
        kept = np.flatnonzero((rows.starts >= since) & (rows.starts <= until))
        sales = rows.sold(self.expected(world, {}) * world.noise)
        columns = {name: values[kept].tolist() for name, values in {**rows.columns, "sales": sales}.items()}
        regions = [region_name(place) for place in range(self.regions)]
        for period, day in enumerate(rows.starts[kept].tolist()):
            timestamp = datetime(day.year, day.month, day.day, tzinfo=UTC)
            known = zip(*(values[period] for values in columns.values()), strict=True)
            for region, values in zip(regions, known, strict=True):
                yield Sample(
                    id=row_id(region, day.isoformat()),
                    image=None,
                    label=None,
                    timestamp=timestamp,
                    metadata={"region": region, **dict(zip(columns, values, strict=True))},
                )

    def redrawn(self, number: int) -> "MarketSource | None":
        """What may come after the rows before `since`; without that nothing does."""
        return None if self.since is None else self.model_copy(update={"future": number})

    def fingerprint(self) -> str:
        """Arguments and code alone decide the rows, and both count anyway."""
        return "drawn"

    def watched(self) -> list[Path]:
        return []


def region_name(place: int) -> str:
    """Args: place: from 0 on."""
    return f"region-{place + 1:02d}"


def row_id(region: str, day: str) -> str:
    """Of the period that begins on this day."""
    return f"{region}/{day}"
