"""How many false alarms a year are put up with, and at which levels the detectors have to work for that."""

from __future__ import annotations

from dataclasses import dataclass

from totalml.monitoring.verdict import OF_FAIRNESS, OF_LABELS, OF_QUALITY, OF_STREAM, OF_WINDOW

DAYS_A_YEAR = 365.25
# Of the budget; they add up to one, so that all detectors together keep it, however they hang together.
SHARES = {OF_QUALITY: 0.25, OF_LABELS: 0.25, OF_WINDOW: 0.2, OF_STREAM: 0.2, OF_FAIRNESS: 0.1}


@dataclass(frozen=True)
class Budget:
    """Args:
    false_alarms_per_year: of all detectors together, more than 0.
    rows_per_day: that are expected.
    window_days: how long a window is.
    """

    false_alarms_per_year: float
    rows_per_day: float
    window_days: float = 1.0

    def level(self, detector: str) -> float:
        """Of a test that is asked once a window: the chance that it finds something where there is nothing."""
        return min(self.false_alarms_per_year * SHARES[detector] * self.window_days / DAYS_A_YEAR, 0.5)

    def run_length(self, detector: str) -> float:
        """Rows between two false alarms, in the mean, of a test that is asked after every row."""
        return max(self.rows_per_day * DAYS_A_YEAR / (self.false_alarms_per_year * SHARES[detector]), 2.0)
