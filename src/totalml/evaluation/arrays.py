"""Arrays of figures, and ratios of them that say where they are undefined."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def ratio(part: NDArray[np.number[Any]], whole: NDArray[np.number[Any]]) -> Floats:
    """part / whole, NaN where whole is 0."""
    shape = np.broadcast_shapes(part.shape, whole.shape)
    result: Floats = np.divide(part, whole, out=np.full(shape, np.nan), where=whole != 0)
    return result


def mean_of_defined(values: Floats) -> Floats:
    """Mean over the last axis without NaN; NaN where nothing is left."""
    return ratio(np.nansum(values, axis=-1), (~np.isnan(values)).sum(axis=-1))
