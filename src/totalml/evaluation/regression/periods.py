"""Whether errors grow and intervals hold as a forecast reaches further: figures of the test split by time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from totalml.evaluation.interval import Interval
from totalml.evaluation.regression.thirds import held

if TYPE_CHECKING:
    from totalml.evaluation.arrays import Ints
    from totalml.evaluation.regression.values import Values

MOST_PERIODS = 12


@dataclass(frozen=True)
class Period:
    """Args:
    first, last: times of its samples, microseconds UTC.
    coverage: share of truths inside, with bounds that hold for all periods at once (Wilson 1927); without a value
        where there are no intervals.
    width: mean of the intervals; None without.
    """

    first: int
    last: int
    count: int
    mae: float
    coverage: Interval
    width: float | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(**{**values, "coverage": Interval(**values["coverage"])})


def periods(values: Values, target: int, times: Ints | None, confidence: float) -> tuple[Period, ...]:
    """Of the test samples, the earliest first, samples of one moment together; empty where all are of one."""
    import numpy as np

    moments = np.unique(times) if times is not None else ()
    if times is None or len(moments) < 2:
        return ()
    found = []
    for some in np.array_split(moments, min(MOST_PERIODS, len(moments))):
        rows = np.flatnonzero((times >= some[0]) & (times <= some[-1]))
        coverage, width = held(values, target, rows, confidence, looked_at=min(MOST_PERIODS, len(moments)))
        mae = float(np.abs(values.errors[rows, target]).mean())
        found.append(Period(int(some[0]), int(some[-1]), len(rows), mae, coverage, width))
    return tuple(found)
