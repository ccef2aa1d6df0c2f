"""Samples for Total ML: regions and weeks, or days, of a market of which the truth is known.

Imports of numpy stay inside the methods, because validating a recipe imports this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes.marketing.arguments import MarketArguments
from totalml.data.sample import Sample
from totalml.kinds import Source

if TYPE_CHECKING:
    from totalml.data.sample_batch import SampleBatch


class MarketSource(MarketArguments, Source):
    """Rows with `sales` (pints), `spend_tv` and so on (EUR), and what else is known of a region and a period.

    Further columns: region, price (EUR a pint), temperature (degrees C above what is usual), football (matches),
    st_patrick and bank_holidays (days), day_of_year (1.0 to 366.5, of the middle of the period), trend (years since the
    first row of all) and size (thousands of people).
    """

    def samples(self) -> Iterator[Sample]:
        for batch in self.batches():
            yield from batch.rows()

    def batches(self) -> Iterator[SampleBatch]:
        import numpy as np

        world = self.world()
        rows = self.rows(world)
        since = rows.starts[0] if self.since is None else np.datetime64(self.since)
        until = rows.starts[-1] if self.until is None else np.datetime64(self.until)
        kept = np.flatnonzero((rows.starts >= since) & (rows.starts <= until))
        sales = rows.sold(self.expected(world, {}) * world.noise)
        columns = {name: values[kept].ravel() for name, values in {**rows.columns, "sales": sales}.items()}
        regions = [region_name(place) for place in range(self.regions)]
        yield as_batch(np.repeat(rows.starts[kept], len(regions)), np.tile(regions, len(kept)), columns)

    def redrawn(self, number: int) -> MarketSource | None:
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


def as_batch(days: Any, regions: Any, columns: Mapping[str, Any]) -> SampleBatch:
    """Args:
    days: (N,) first day of each row's period, of numpy.
    regions: (N,) names.
    columns: (N,) each; text, numbers, true or false, or times.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    named, missing = pa.array(regions, pa.string()), pa.nulls(len(days), pa.string())
    midnights = pa.array(np.asarray(days, "datetime64[us]")).cast(pa.timestamp("us", "UTC"))
    samples = {
        "id": pc.binary_join_element_wise(named, pa.array(np.asarray(days, "datetime64[D]")).cast(pa.string()), "/"),
        "label": missing,
        "group": missing,
        "timestamp": midnights,
    }
    known = {name: pa.array(values) for name, values in columns.items()}
    # Of a column without any value.
    plain = {name: each.cast(pa.string()) if pa.types.is_null(each.type) else each for name, each in known.items()}
    from totalml.data.sample_batch import SampleBatch

    return SampleBatch(pa.table(samples), pa.table({"region": named, **plain}))


def row_id(region: str, day: str) -> str:
    """Of the period that begins on this day."""
    return f"{region}/{day}"
