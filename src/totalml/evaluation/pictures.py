"""Which pictures to look at once more, and how many of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from totalml.evaluation.arrays import Ints

if TYPE_CHECKING:
    from totalml.features import FeatureSet

# Of all pictures that are held at once: a network and the random numbers of its pixels then need about 200 MB.
PART_PIXELS = 1_000_000


def evenly(rows: Ints, most: int) -> Ints:
    """At most so many of the rows, evenly spaced, so that the choice needs no chance."""
    if len(rows) <= most:
        return rows
    return rows[((np.arange(most) + 0.5) * len(rows) / most).astype(np.int64)]


def parts(rows: Ints, features: FeatureSet) -> Iterator[Ints]:
    """The rows in order, as many at once as may be held."""
    side = features.images.shape[0] if features.images else 1
    step = max(1, PART_PIXELS // side**2)
    for start in range(0, len(rows), step):
        yield rows[start : start + step]
