"""What a column was some periods ago."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from totalml.duration import us_of
from totalml.features.shared.period import Period
from totalml.kinds import SharedFeature

if TYPE_CHECKING:
    import pyarrow as pa


class Lags(SharedFeature):
    """A column at each row and in each of the periods before: parts `lag0`, the row itself, to `lag<lags>`.

    A lag is counted in periods, not in rows: one without a row is missing, never filled with the row before it. Lag k
    is the latest value of the entity in (time - (k + 1) periods, time - k periods].
    """

    column: str
    lags: Annotated[int, Field(ge=0, le=1000)]
    every: Period  # how far apart rows are, such as 1w
    first: Annotated[int, Field(ge=0)] = 0  # the lag to begin with; 1 leaves the row itself out
    missing: Literal["nan", "zero", "stop"] = "nan"  # stop: refuse gaps between the first and last row of an entity

    @model_validator(mode="after")
    def _holds_some(self) -> Self:
        if self.first > self.lags:
            raise ValueError(f"'first' is {self.first}, beyond the last of {self.lags} lags; nothing is left")
        return self

    def reads_now(self) -> tuple[str, ...]:
        return (self.column,) if self.first == 0 else ()

    def reads(self) -> tuple[str, ...]:
        return (self.column,)

    def looks_back_us(self) -> int:
        return (self.lags + 1) * us_of(self.every)

    def columns(self, rows: pa.Table) -> pa.Table:
        import numpy as np
        import pyarrow as pa

        from totalml.features.shared.past import numbers, past_of, refuse_gaps

        past, period = past_of(self, rows), us_of(self.every)
        values = numbers(rows, self.column)[past.order]
        made = {}
        for lag in range(self.first, self.lags + 1):
            found = past.between(lag * period, period).latest(values)
            if self.missing == "stop":
                refuse_gaps(np.isnan(found) & (past.time - lag * period >= past.begins()), lag, past, rows)
            if self.missing == "zero":
                found = np.where(np.isnan(found), 0.0, found)
            made[f"lag{lag}"] = pa.array(past.in_place(found), from_pandas=True)
        return pa.table(made)
