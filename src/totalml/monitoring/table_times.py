"""Times of a table's column as numbers, and such a number as text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray


def microseconds(rows: pa.Table, column: str) -> NDArray[np.int64]:
    """(N,) since 1970 UTC; of a table without the column the numbers of its rows."""
    if column not in rows.column_names:
        return np.arange(len(rows), dtype=np.int64)
    return np.asarray(pc.cast(rows[column], pa.timestamp("us", "UTC")).cast(pa.int64()))


def iso(microseconds: int) -> str:
    """`2026-03-02T00:00:00+00:00`."""
    return datetime.fromtimestamp(microseconds / 1e6, UTC).isoformat(timespec="seconds")
