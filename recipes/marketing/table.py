"""A user's own market: a CSV or Parquet table with a row for each region and day or week.

Imports of numpy stay inside the methods, because validating a recipe imports this module.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from recipes.marketing import HOME
from recipes.marketing.source import as_batch
from totalml.component import Where
from totalml.data.sample import Sample
from totalml.kinds import Source

if TYPE_CHECKING:
    from totalml.data.sample_batch import SampleBatch


class SpendTable(Source):
    """Rows of columns `date` (the first day of each period), `region`, `sales` and `spend_*`; days or weeks.

    What the table lacks of `price`, `temperature`, `football` and `size` is taken as the same everywhere; st_patrick,
    bank_holidays, day_of_year and trend are made of the date. Any further column is passed on.
    """

    table: Annotated[str, Field(min_length=1), Where]  # .csv, .tsv, packed by gzip or not, or .parquet
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = HOME  # of the bank holidays, ISO 3166-1
    subdivision: Annotated[str, Field(min_length=1)] | None = None  # ISO 3166-2 without the country, such as NIR of GB

    def samples(self) -> Iterator[Sample]:
        for batch in self.batches():
            yield from batch.rows()

    def batches(self) -> "Iterator[SampleBatch]":
        import numpy as np

        from recipes.marketing.spend_file import read_spend

        read = read_spend(Path(self.table).expanduser())
        columns = {**self._calendar(read.days, read.period_days), **read.columns}
        yield as_batch(np.array(read.days, "datetime64[D]"), read.regions, columns)

    def _calendar(self, days: list[Any], period_days: int) -> dict[str, Any]:
        import numpy as np

        from recipes.marketing.calendar import calendar_columns, holidays_of

        starts = np.array(days, "datetime64[D]")
        holidays = holidays_of(starts, self.country, self.subdivision)
        return calendar_columns(starts, period_days, starts.min(), holidays)
