"""What each lever brought in each period: what is predicted, less what would be without the lever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.interval import Interval
from totalml.plan.certainty import interval_of

if TYPE_CHECKING:
    from totalml.plan.planned import Planned

MOST_PERIODS = 160  # more than that are taken together: a page has no more pixels for them


@dataclass(frozen=True)
class Contributions:
    """Args:
    starts: (P,) of the periods, microseconds since 1970.
    base: (P,) what would be without any lever.
    levers: lever -> (P,) what it brings on top, by the mean of the members.
    totals: lever -> over all periods, with its interval.
    """

    starts: tuple[int, ...]
    base: tuple[float, ...]
    levers: dict[str, tuple[float, ...]]
    totals: dict[str, Interval]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(
            tuple(values["starts"]),
            tuple(values["base"]),
            {name: tuple(part) for name, part in values["levers"].items()},
            {name: Interval(**total) for name, total in values["totals"].items()},
        )


def contributions_of(planned: Planned, times: Ints, confidence: float) -> Contributions:
    """Args:
    planned: the whole test split.
    times: (n,) of its samples, microseconds.
    """
    starts, period = periods_of(times)
    unchanged, without_any = planned.outcomes({}), planned.outcomes(dict.fromkeys(planned.plan.levers, 0.0))
    brought = {name: unchanged - planned.outcomes({name: 0.0}) for name in planned.plan.levers}

    def by_period(values: Floats) -> tuple[float, ...]:
        summed = np.bincount(period, values.mean(axis=1), minlength=len(starts))
        return tuple(summed.tolist())

    return Contributions(
        tuple(starts.tolist()),
        by_period(without_any),
        {name: by_period(values) for name, values in brought.items()},
        {name: interval_of(values.sum(axis=0), confidence) for name, values in brought.items()},
    )


def periods_of(times: Ints) -> tuple[Ints, Ints]:
    """(P,) the first moment of each period, and (n,) in which one a sample lies; neighbours together if too many."""
    moments, place = np.unique(times, return_inverse=True)
    together = -(-len(moments) // MOST_PERIODS)
    return moments[::together], place // together
