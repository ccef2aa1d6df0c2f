"""The reference as each window can be held against it: by the columns that callers sent.

What the model does not see callers may leave out, all of them or some day. A window that lacks it is held against the
reference without it, and nothing is said to be gone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from totalml.monitoring.observations import TIMES, Observations, observe
from totalml.monitoring.stream_quality import StreamQuality
from totalml.monitoring.verdict import OF_QUALITY, OF_WINDOW
from totalml.monitoring.window import WindowTest
from totalml.release.log_rows import METADATA
from totalml.release.periods import PERIOD

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.monitoring.budget import Budget
    from totalml.recipe.monitoring import MonitoringRecipe

MOST_ABSENT = 0.5  # of the rows of a window may lack a column that callers may leave out; else all of it is left out


@dataclass(frozen=True)
class Fitted:
    """Args:
    columns: that are compared.
    unit: column of which equal values come together; None: each row by itself.
    """

    columns: tuple[str, ...]
    unit: str | None
    window: WindowTest
    quality: StreamQuality

    def timed(self, rows: pa.Table) -> pa.Table:
        """Its columns, and its times."""
        wanted = dict.fromkeys((*self.columns, *TIMES, PERIOD))
        return rows.select([name for name in wanted if name in rows.column_names])

    def observed(self, rows: pa.Table) -> Observations:
        """Rows of which nobody knows what they come together with stand alone."""
        if self.unit is None or {self.unit, METADATA + self.unit} & {*rows.column_names}:
            return observe(self.timed(rows), self.unit)
        return replace(observe(self.timed(rows)), units=np.arange(len(rows), dtype=np.int64))


class Against:
    """Args:
    reference: rows of a release.
    columns: that are compared where they are there.
    optional: of these, those that callers may leave out.
    rows_per_day: that are known to come; None: silence tells nothing.
    """

    def __init__(
        self,
        reference: pa.Table,
        columns: Sequence[str],
        optional: Collection[str],
        settings: MonitoringRecipe,
        budget: Budget,
        rows_per_day: float | None,
        seed: int,
    ) -> None:
        self._reference, self._optional = reference, optional
        self._columns = [name for name in columns if name in reference.column_names]
        self._settings, self._budget, self._per_day, self._seed = settings, budget, rows_per_day, seed
        self._known: dict[frozenset[str], Fitted] = {}

    def all_columns(self) -> Fitted:
        return self._fitted(frozenset())

    def of(self, window: pa.Table) -> Fitted:
        """By what its rows have."""
        there = window.column_names
        lacks = {name for name in self._optional if name not in there or _absent(window, name)} if len(window) else ()
        return self._fitted(frozenset(lacks))

    def _fitted(self, lacks: frozenset[str]) -> Fitted:
        if lacks not in self._known:
            self._known[lacks] = self._fit([name for name in self._columns if name not in lacks])
        return self._known[lacks]

    def _fit(self, columns: Sequence[str]) -> Fitted:
        settings = self._settings
        there = {*columns, *({PERIOD} & {*self._reference.column_names})}
        unit = settings.unit if there & {f"{METADATA}{settings.unit}", settings.unit} else None
        timed = self._reference.select(
            [name for name in dict.fromkeys((*columns, *TIMES, PERIOD)) if name in self._reference.column_names]
        )
        window = WindowTest.fit(observe(timed, unit), level=self._budget.level(OF_WINDOW), seed=self._seed)
        quality = StreamQuality.fit(
            timed,
            by=[name for name in settings.populations if METADATA + name in columns],
            unit=unit,
            rows_per_day=self._per_day,
            zone=settings.zone,
            level=self._budget.level(OF_QUALITY),
            levers=[METADATA + name for name in settings.levers],
        )
        return Fitted(tuple(columns), unit, window, quality)


def _absent(window: pa.Table, name: str) -> bool:
    return bool(window[name].null_count > MOST_ABSENT * len(window))
