"""The detectors of one release beside quality and window test, fitted on its reference."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from totalml.errors import DataError
from totalml.monitoring.attribution_watch import AttributionWatch
from totalml.monitoring.estimated_performance import EstimatedPerformance
from totalml.monitoring.label_watch import USUAL, LabelWatch
from totalml.monitoring.live_slices import LiveSlices
from totalml.monitoring.losses import reference_truths
from totalml.monitoring.panel_labels import PanelLabels
from totalml.monitoring.panel_levers import PanelLevers
from totalml.monitoring.period_errors import PeriodErrors
from totalml.monitoring.row_seasons import RowSeasons
from totalml.monitoring.season_watch import SeasonWatch
from totalml.monitoring.stream import StreamTest
from totalml.monitoring.verdict import (
    OF_ATTRIBUTION,
    OF_FAIRNESS,
    OF_LABELS,
    OF_LEVERS,
    OF_PERIODS,
    OF_STREAM,
    OF_WINDOW,
)
from totalml.monitoring.window import WindowTest
from totalml.release.log_rows import METADATA

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.monitoring.against import Fitted
    from totalml.monitoring.budget import Budget
    from totalml.monitoring.levers import Levers
    from totalml.monitoring.losses import LossOf
    from totalml.monitoring.panel import Panel
    from totalml.recipe.monitoring import MonitoringRecipe

LEAST_SEASON = 30  # rows of a season before, to hold one against


class Remembers(Protocol):
    """What of a monitor knows windows that are over."""

    def state(self) -> dict[str, Any]: ...

    def restore(self, state: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True)
class Detectors:
    """None, where the reference does not tell enough, or nobody asks.

    Args:
        weeks: of a panel whose season is known.
        periods: of a panel, how wrong whole ones were.
        attribution: season -> of the one before; empty: of ordinary days. Those of which the reference tells.
        season_tests: season -> the season before, that rows in it are held against.
    """

    stream: StreamTest
    labels: LabelWatch | PanelLabels | None
    weeks: SeasonWatch | None
    periods: PeriodErrors | None
    levers: PanelLevers | None
    attribution: Mapping[str, AttributionWatch]
    slices: LiveSlices | None
    estimate: EstimatedPerformance | None
    season_tests: Mapping[str, WindowTest]

    @classmethod
    def fit(
        cls,
        reference: pa.Table,
        whole: Fitted,
        settings: MonitoringRecipe,
        budget: Budget,
        losses: LossOf | None,
        before: Mapping[str, pa.Table],
        positive: str | None,
        panel: Panel | None,
        levers: Levers | None,
        seed: int,
    ) -> Self:
        """As of a `Monitor`. Args: whole: with all columns. before: name -> rows of the season before."""
        by_period = _by_period(budget, panel)
        weeks = None if panel is None or not panel.season else SeasonWatch(panel, by_period, seed)
        season_tests = {
            name: WindowTest.fit(whole.observed(rows), level=budget.level(OF_WINDOW), seed=seed)
            for name, rows in before.items()
            if len(rows) >= LEAST_SEASON and weeks is None  # which looks at the same weeks anyway
        }
        return cls(
            stream=StreamTest.fit(whole.observed(reference), by_period.run_length(OF_STREAM), seed=seed),
            labels=_labels(reference, before, losses, settings, by_period, panel),
            weeks=weeks,
            periods=_periods(losses, settings, by_period, panel),
            levers=_levers(reference, losses, by_period, panel, levers),
            attribution={} if panel is not None else _attribution(reference, before, whole, settings, budget, seed),
            slices=_slices(reference, whole, settings, budget, positive),
            estimate=_estimate(reference),
            season_tests=season_tests,
        )

    def state(self) -> dict[str, Any]:
        """After a window; plain JSON."""
        return {"stream": self.stream.state()} | {
            name: None if watch is None else watch.state() for name, watch in self._remember.items()
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """What is of another reference, or of other settings, begins anew."""
        for name, watch in {"stream": self.stream, **self._remember}.items():
            if watch is not None and state.get(name) is not None:
                go_on(watch, state[name])

    @property
    def _remember(self) -> dict[str, Remembers | None]:
        """What remembers windows, beside the stream test."""
        found: dict[str, Remembers | None] = {
            "labels": self.labels,
            "weeks": self.weeks,
            "periods": self.periods,
            "levers": self.levers,
        }
        return found | {f"attribution {name}".strip(): each for name, each in self.attribution.items()}


def go_on(watch: Remembers, state: Any) -> None:
    """Let it go on from this state, all of it or, where it is damaged or of another version, nothing."""
    new = watch.state()
    try:
        json.dumps(state, allow_nan=False)
        watch.restore(state)
    except (DataError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, zlib.error):
        watch.restore(new)


def _by_period(budget: Budget, panel: Panel | None) -> Budget:
    """As if rows were periods, and windows of one, where all rows of a period are one fact."""
    if panel is None:
        return budget
    return replace(budget, rows_per_day=1 / panel.period_days, window_days=panel.period_days)


def _labels(
    reference: pa.Table,
    before: Mapping[str, pa.Table],
    losses: LossOf | None,
    settings: MonitoringRecipe,
    budget: Budget,
    panel: Panel | None,
) -> LabelWatch | PanelLabels | None:
    if losses is None:
        return None
    known = losses.of_reference(reference)
    if np.isnan(known).all():
        return None
    seasons = {name: (rows, losses.of_reference(rows)) for name, rows in before.items()}
    run = budget.run_length(OF_LABELS)
    if panel is not None:
        return PanelLabels(panel, (reference, known), seasons, run, settings.slices, settings.margin)
    return LabelWatch((reference, known), seasons, run, settings.slices, settings.margin, budget.rows_per_day)


def _periods(
    losses: LossOf | None, settings: MonitoringRecipe, budget: Budget, panel: Panel | None
) -> PeriodErrors | None:
    if panel is None or losses is None or OF_PERIODS not in budget.shares:
        return None
    return PeriodErrors(panel, budget.level(OF_PERIODS), RowSeasons(settings))


def _levers(
    reference: pa.Table, losses: LossOf | None, budget: Budget, panel: Panel | None, levers: Levers | None
) -> PanelLevers | None:
    if panel is None or levers is None or losses is None:
        return None
    truths = reference_truths(reference, losses.truth)
    return PanelLevers.fit(levers, panel, reference, truths, budget.run_length(OF_LEVERS))


def _attribution(
    reference: pa.Table,
    before: Mapping[str, pa.Table],
    whole: Fitted,
    settings: MonitoringRecipe,
    budget: Budget,
    seed: int,
) -> dict[str, AttributionWatch]:
    level, least = budget.level(OF_ATTRIBUTION), settings.window.rows
    seasons = {name: rows for name, rows in before.items() if len(rows) >= LEAST_SEASON}
    found = {
        name: AttributionWatch.fit(
            rows, whole.columns, unit=whole.unit, level=level, least=least, seed=seed, season=name
        )
        for name, rows in {USUAL: reference, **seasons}.items()
    }
    return {name: each for name, each in found.items() if each is not None}


def _slices(
    reference: pa.Table, whole: Fitted, settings: MonitoringRecipe, budget: Budget, positive: str | None
) -> LiveSlices | None:
    by = [name for name in settings.slices if METADATA + name in whole.columns]
    if positive is None or not by:
        return None
    return LiveSlices.fit(reference, by, positive=positive, level=budget.level(OF_FAIRNESS))


def _estimate(reference: pa.Table) -> EstimatedPerformance | None:
    """None: the reference tells nothing of how often it was right."""
    try:
        return EstimatedPerformance.fit(reference)
    except DataError:
        return None
