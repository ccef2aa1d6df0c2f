"""The season that each row of a log or a reference is in, as the settings of a monitor have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from totalml.monitoring.label_watch import USUAL
from totalml.monitoring.observations import TIMES
from totalml.monitoring.seasons import Seasons
from totalml.recipe.seasons import YEAR_BEFORE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.recipe.monitoring import MonitoringRecipe

DAY_US = 86_400_000_000
EARLIEST = np.iinfo(np.int64).min


class RowSeasons:
    def __init__(self, settings: MonitoringRecipe) -> None:
        self._settings, self._seasons = settings.seasons, Seasons(settings.seasons)
        self._zone = settings.zone

    def of(self, rows: pa.Table) -> NDArray[np.str_]:
        """(N,) name of the season that each row is in; empty: in none, or nobody knows."""
        names = np.array([*(each.name for each in self._settings), USUAL])
        timed = next((name for name in TIMES if name in rows.column_names), None)
        if timed is None or len(names) == 1:
            return np.full(len(rows), USUAL, names.dtype)
        times = rows[timed].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).fill_null(EARLIEST)
        return names[self._seasons.at(np.asarray(times), self._zone)]

    def within(self, since: int, until: int) -> list[str]:
        """Names of those that any day from one moment on to another is in, microseconds since 1970 UTC."""
        days = pa.array(np.arange(since, until, DAY_US), pa.timestamp("us", "UTC"))
        return [*dict.fromkeys(name for name in self.of(pa.table({"time": days})).tolist() if name != USUAL)]

    def before(self, reference: pa.Table) -> dict[str, pa.Table]:
        """Of each season that is to be held against the year before, the rows of the reference that are in one."""
        seasons = self.of(reference)
        wanted = [each.name for each in self._settings if each.reference == YEAR_BEFORE]
        return {name: reference.filter(pa.array(seasons == name)) for name in wanted}


def most(seasons: NDArray[np.str_]) -> str:
    """That of most rows."""
    if not len(seasons):
        return USUAL
    names, counts = np.unique(seasons, return_counts=True)
    return str(names[counts.argmax()])
