"""A monitor as a service has it, in a drill: day by day, with its own thresholds, under one budget after another.

What it says at the least budget under which it alarms is what it says; so it is held to the same false alarms as
detectors of which evidence is a number, without a look inside of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from totalml.drill.detector import SILENT
from totalml.monitoring.traffic import LOSS
from totalml.monitoring.verdict import NONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.drill.history import History
    from totalml.monitoring.monitor import Monitor

BUDGETS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # false alarms a year


@dataclass
class Monitored:
    """Args:
    new: a fitted monitor for a history, told of its season, with so many false alarms a year.
    budgets: that are tried, ascending.
    """

    name: str
    new: Callable[[History, float], Monitor]
    budgets: tuple[float, ...] = BUDGETS
    _history: History | None = field(default=None, repr=False)
    _causes: list[str] = field(default_factory=list, repr=False)

    def evidence(self, history: History) -> NDArray[np.float64]:
        """(days,) of each the logarithm of the least budget under which it alarms, negative."""
        found = np.full(history.days, SILENT)
        self._history, self._causes = history, [NONE] * history.days
        for budget in self.budgets:
            for day, cause in enumerate(_causes(history, self.new(history, budget))):
                if cause is not None and found[day] == SILENT:
                    found[day], self._causes[day] = -math.log(budget), cause
        return found

    def verdict(self, history: History, day: int) -> str:
        if history is not self._history:
            self.evidence(history)
        return self._causes[day]


def _causes(history: History, monitor: Monitor) -> list[str | None]:
    """(days,) what is alarmed for; None: nothing."""
    found: list[str | None] = []
    for day in range(history.days):
        rows, told = (history.table(each == day) for each in (history.day, history.known_on))
        wrong = pa.array(history.wrong[history.known_on == day].astype(np.float64))
        verdict = monitor.look(rows, told.append_column(LOSS, wrong), rows)
        found.append(verdict.cause if verdict.alarms else None)
    return found
