"""What the values of a shared feature look like, in a few figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from totalml.features.as_of.entities import Entities
from totalml.features.shared.materialised import ENTITY, EVENT_TIME, VALUE
from totalml.features.shared.past import numbers

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)


@dataclass(frozen=True)
class PartFigures:
    """Args:
    mean, quantiles: of the values that are there, the latter at QUANTILES; NaN and none: there are none.
    """

    part: str
    count: int
    missing: int
    mean: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class Figures:
    """Args:
    first, last: the range in time of the events; None: there are no rows.
    entities: that differ.
    """

    rows: int
    entities: int
    first: datetime | None
    last: datetime | None
    parts: tuple[PartFigures, ...]


def figures_of(values: pa.Table) -> Figures:
    """Args: values: as `totalml.features.shared.materialised.timed_values` gives them."""
    import pyarrow.compute as pc

    times = pc.min_max(values[EVENT_TIME]).as_py()
    entities = [name for name in values.column_names if name.startswith(ENTITY)]
    parts = [name for name in values.column_names if name.startswith(VALUE)]
    return Figures(
        rows=len(values),
        entities=len(Entities.of(values, entities)),
        first=times["min"],
        last=times["max"],
        parts=tuple(_part(name.removeprefix(VALUE), numbers(values, name)) for name in parts),
    )


def _part(name: str, values: NDArray[np.float64]) -> PartFigures:
    there = values[~np.isnan(values)]
    quantiles = tuple(np.quantile(there, QUANTILES).tolist()) if len(there) else ()
    mean = float(there.mean()) if len(there) else float("nan")
    return PartFigures(name, len(there), len(values) - len(there), mean, quantiles)
