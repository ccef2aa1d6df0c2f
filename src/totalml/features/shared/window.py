"""What a column came to over a stretch of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from totalml.duration import us_of
from totalml.features.shared.parts import Parts
from totalml.features.shared.period import Period
from totalml.kinds import SharedFeature

if TYPE_CHECKING:
    import pyarrow as pa


class Window(SharedFeature):
    """Sum, mean, least, greatest or number of a column's values in the time up to each row: a part each.

    With the row itself these are the rows in (time - last, time], without it those in [time - last, time): of rows a
    week apart, `last: 4w` is four of them either way. Values that are missing are left out.
    """

    column: str
    last: Period
    of: Annotated[Parts[Literal["sum", "mean", "min", "max", "count"]], Field(min_length=1)]
    itself: bool = True  # whether the row's own value is among them
    least: Annotated[int, Field(ge=1)] = 1  # of fewer values than that only the count is told

    def reads_now(self) -> tuple[str, ...]:
        return (self.column,) if self.itself else ()

    def reads(self) -> tuple[str, ...]:
        return (self.column,)

    def looks_back_us(self) -> int:
        return us_of(self.last)

    def columns(self, rows: pa.Table) -> pa.Table:
        import pyarrow as pa

        from totalml.features.shared.past import numbers, past_of

        past, last = past_of(self, rows), us_of(self.last)
        windows = past.between(0, last) if self.itself else past.before(last)
        made = windows.aggregates(numbers(rows, self.column)[past.order], self.of, self.least)
        return pa.table({name: pa.array(past.in_place(made[name]), from_pandas=True) for name in self.of})
