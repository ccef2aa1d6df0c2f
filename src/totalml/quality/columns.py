"""Questions about Arrow columns that several checks ask."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

SHOWN = 10


def value_counts(column: pa.ChunkedArray) -> dict[Any, int]:
    """How often each value occurs; null is no value."""
    counts = pc.value_counts(column.drop_null())
    return {entry["values"]: entry["counts"] for entry in counts.to_pylist()}


def codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """(N,) the same number for the same value, in order of first appearance; -1 for null."""
    encoded = column.combine_chunks().dictionary_encode()
    array = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    numbers: NDArray[np.int64] = pc.fill_null(array.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


def is_missing(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """(N,) null, or NaN in a float column."""
    missing: NDArray[np.bool_] = pc.is_null(column, nan_is_null=True).to_numpy()
    return missing


def shown_ids(samples: pa.Table, rows: Sequence[int] | NDArray[np.int64]) -> tuple[str, ...]:
    """The ids of the first rows, as many as a finding lists."""
    return tuple(samples["id"].take(pa.array(list(rows)[:SHOWN], pa.int64())).to_pylist())
