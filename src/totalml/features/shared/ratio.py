"""One column for each unit of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.kinds import SharedFeature

if TYPE_CHECKING:
    import pyarrow as pa


class Ratio(SharedFeature):
    """A column divided by another at the same row; missing where that is 0, or either is missing."""

    column: str
    per: str

    def reads_now(self) -> tuple[str, ...]:
        return self.column, self.per

    def reads(self) -> tuple[str, ...]:
        return self.reads_now()

    def columns(self, rows: pa.Table) -> pa.Table:
        import numpy as np
        import pyarrow as pa

        from totalml.features.shared.past import numbers

        above, below = (numbers(rows, name) for name in (self.column, self.per))
        ratio = np.divide(above, below, out=np.full(len(rows), np.nan), where=below != 0)
        return pa.table({"ratio": pa.array(ratio, from_pandas=True)})
