"""Whether the intervals hold as often as promised for small, middle and large answers alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from totalml.evaluation.interval import Interval

if TYPE_CHECKING:
    from totalml.evaluation.arrays import Ints
    from totalml.evaluation.regression.values import Values

PARTS = 3


@dataclass(frozen=True)
class Third:
    """Args:
    low, high: of what was said.
    coverage: share of truths inside, with the bounds of Wilson 1927.
    width: mean of the intervals.
    """

    low: float
    high: float
    count: int
    coverage: Interval
    width: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(**{**values, "coverage": Interval(**values["coverage"])})


def thirds(values: Values, target: int, confidence: float) -> tuple[Third, ...]:
    """Of the test samples by what was said, the lowest first; empty without intervals, or where all say the same."""
    import numpy as np

    said = values.said[:, target]
    if np.isnan(values.low[:, target]).any() or len(said) < PARTS or np.ptp(said) == 0:
        return ()
    found = []
    for rows in np.array_split(np.argsort(said, kind="stable"), PARTS):
        coverage, width = held(values, target, rows, confidence)
        found.append(Third(float(said[rows].min()), float(said[rows].max()), len(rows), coverage, width or 0.0))
    return tuple(found)


def held(
    values: Values, target: int, rows: Ints, confidence: float, looked_at: int = 1
) -> tuple[Interval, float | None]:
    """The share of these rows' truths that intervals hold, with the bounds of Wilson 1927, and their mean width."""
    import numpy as np

    from totalml.evaluation.shares import wilson, z_of

    truth, low, high = (part[rows, target] for part in (values.truth, values.low, values.high))
    if np.isnan(low).any():
        return Interval(None), None
    inside = (truth >= low) & (truth <= high)
    bounds = wilson(np.array([inside.sum()]), np.array([len(rows)]), z_of(confidence, looked_at))
    coverage = Interval(float(inside.mean()), float(bounds[0][0]), float(bounds[1][0]))
    return coverage, float((high - low).mean())
