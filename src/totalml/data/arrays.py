"""Columns of Arrow as single arrays, at the least cost: a request pays it for each of a hundred columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def one_array(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def nan_where_null(column: pa.Array) -> NDArray[np.float64]:
    """(N,) Args: column: of numbers, of true and false, or of nothing but nulls."""
    import pyarrow as pa

    values = column if pa.types.is_float64(column.type) else column.cast(pa.float64(), safe=False)
    found: NDArray[np.float64] = values.to_numpy(zero_copy_only=False)
    return found
