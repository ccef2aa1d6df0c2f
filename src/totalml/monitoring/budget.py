"""How many false alarms a year are put up with, and at which levels the detectors have to work for that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from totalml.evaluation.interval import Interval
from totalml.monitoring.verdict import (
    OF_ATTRIBUTION,
    OF_FAIRNESS,
    OF_LABELS,
    OF_LEVERS,
    OF_PERIODS,
    OF_QUALITY,
    OF_STREAM,
    OF_WINDOW,
)

DAYS_A_YEAR = 365.25
HALVINGS = 60
FAR = 10  # deviations of a Poisson number, beyond which no bound lies
# Of the budget; they add up to one, so that all detectors together keep it, however they hang together.
# The last two have least, as they tell of inputs what window and stream, which see all rows, mostly find before them.
SHARES = {
    OF_QUALITY: 0.25,
    OF_LABELS: 0.25,
    OF_WINDOW: 0.2,
    OF_STREAM: 0.2,
    OF_FAIRNESS: 0.05,
    OF_ATTRIBUTION: 0.05,
}
# Of series: nobody is chosen there and no picture looked at, but a whole period may be odd.
OF_SERIES = {OF_QUALITY: 0.25, OF_LABELS: 0.25, OF_PERIODS: 0.1, OF_WINDOW: 0.2, OF_STREAM: 0.2}
# Where levers are watched: what they lost is what costs money there, and few periods tell of it.
WITH_LEVERS = {
    OF_QUALITY: 0.2,
    OF_LABELS: 0.05,
    OF_PERIODS: 0.05,
    OF_WINDOW: 0.15,
    OF_STREAM: 0.15,
    OF_LEVERS: 0.4,
}


@dataclass(frozen=True)
class Budget:
    """Args:
    false_alarms_per_year: of all detectors together, more than 0.
    rows_per_day: that are expected.
    window_days: how long a window is.
    shares: detector -> its part.
    """

    false_alarms_per_year: float
    rows_per_day: float
    window_days: float = 1.0
    shares: Mapping[str, float] = field(default_factory=lambda: SHARES)

    def level(self, detector: str) -> float:
        """Of a test that is asked once a window: the chance that it finds something where there is nothing."""
        return min(self.false_alarms_per_year * self.shares[detector] * self.window_days / DAYS_A_YEAR, 0.5)

    def run_length(self, detector: str) -> float:
        """Rows between two false alarms, in the mean, of a test that is asked after every row."""
        return max(self.rows_per_day * DAYS_A_YEAR / (self.false_alarms_per_year * self.shares[detector]), 2.0)


def alarms_per_year(alarms: int, days: float) -> Interval:
    """What so many alarms in so many days come to, with the bounds of a Poisson number, 95 %.

    Source: Garwood 1936.
    """
    years = days / DAYS_A_YEAR
    low = _mean_of(alarms - 1, 0.975) if alarms else 0.0
    return Interval(alarms / years, low / years, _mean_of(alarms, 0.025) / years)


def _mean_of(count: int, chance: float) -> float:
    """The mean of a Poisson number that is `count` or less with this chance."""
    each = np.arange(count + 1)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(each[1:]))])
    low, high = 0.0, count + FAR * math.sqrt(count + 1)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        at_most = float(np.exp(each * math.log(middle) - middle - factorials).sum())
        low, high = (middle, high) if at_most > chance else (low, middle)
    return high
