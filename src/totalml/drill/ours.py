"""The tests of `totalml.monitoring`, each by itself, as detectors of a drill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from totalml.drill.detector import SILENT, NamesNoCause, windows
from totalml.monitoring import WindowTest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.drill.history import History
    from totalml.monitoring import Observations


@dataclass(frozen=True)
class Windows(NamesNoCause):
    """The window test; in an expected season against samples of the last one.

    Args: days: of a window. permutations: of a test; where so few are all below what is seen, more tell no difference.
    """

    days: int
    permutations: int = 400
    name: str = "window test"

    def evidence(self, history: History) -> NDArray[np.float64]:
        found = np.full(history.days, SILENT)
        usual = self._fitted(history.reference)
        seasonal = None if history.expected is None else self._fitted(history.expected)
        for day, rows in windows(history, self.days):
            if len(rows):
                test = seasonal if seasonal is not None and _in_season(history, day, self.days) else usual
                found[day] = -np.log(test.test(history.observations.take(rows)).p)
        return found

    def _fitted(self, reference: Observations) -> WindowTest:
        # Of so low a level no further permutations are drawn: the drill sets the level, not the test.
        return WindowTest.fit(reference, permutations=self.permutations, level=1 / self.permutations)


def _in_season(history: History, last: int, days: int) -> bool:
    """Whether most of the window that ends on this day lies in the expected season."""
    if history.season is None:
        return False
    first, end = history.season
    return 2 * (min(last + 1, end) - max(last - days + 1, first)) > days
