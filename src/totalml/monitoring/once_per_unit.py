"""Samples of one unit come together and look alike; one of them a day says as much as can be counted on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.observations import Observations

DAY = 86_400_000_000  # microseconds


def once_per_unit(observations: Observations, rng: np.random.Generator) -> NDArray[np.intp]:
    """Rows, ascending: one of each unit and UTC day, drawn by chance; all of them where there are no units."""
    if observations.units is None:
        return np.arange(observations.count)
    days = np.zeros(observations.count, np.int64) if observations.times is None else observations.times // DAY
    order = rng.permutation(observations.count)
    _, first = np.unique(np.stack([observations.units, days], axis=1)[order], axis=0, return_index=True)
    return np.sort(order[first])
