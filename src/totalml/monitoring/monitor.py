"""Hold each window of traffic against the reference of its release, and say what caused what was found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from totalml.errors import DataError
from totalml.monitoring.against import Against, Fitted
from totalml.monitoring.attribution_watch import AttributionWatch
from totalml.monitoring.cause import inputs_moved, judge
from totalml.monitoring.estimated_performance import EstimatedPerformance
from totalml.monitoring.label_watch import LabelWatch
from totalml.monitoring.live_slices import LiveSlices
from totalml.monitoring.losses import reference_truths
from totalml.monitoring.observations import TIMES, Observations
from totalml.monitoring.once_per_unit import once_per_unit
from totalml.monitoring.panel_labels import PanelLabels
from totalml.monitoring.panel_levers import PanelLevers
from totalml.monitoring.quality_evidence import quality_evidence
from totalml.monitoring.row_seasons import RowSeasons, most
from totalml.monitoring.season_watch import SeasonWatch
from totalml.monitoring.stream import StreamResult, StreamTest
from totalml.monitoring.table_times import microseconds
from totalml.monitoring.verdict import (
    OF_ATTRIBUTION,
    OF_FAIRNESS,
    OF_LABELS,
    OF_LEVERS,
    OF_QUALITY,
    OF_SEASON,
    OF_STREAM,
    OF_WINDOW,
    Evidence,
    Verdict,
)
from totalml.monitoring.window import MOST, WindowTest
from totalml.monitoring.window_evidence import (
    estimate_evidence,
    fairness_evidence,
    stream_evidence,
    window_evidence,
)
from totalml.release.log_rows import METADATA
from totalml.release.periods import PERIOD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.budget import Budget
    from totalml.monitoring.faults import Fault
    from totalml.monitoring.levers import Levers
    from totalml.monitoring.losses import LossOf
    from totalml.monitoring.panel import Panel
    from totalml.recipe.monitoring import MonitoringRecipe

OF_A_LOG = ("error", "input", "replica")  # that quality is asked of, beside the columns of the reference
LEAST_SEASON = 30  # rows of a season before, to hold one against
EARLIEST = np.iinfo(np.int64).min


@dataclass
class _Pending:
    """What the stream test said within a window that is not over, and the time of the last row that it saw."""

    stream: StreamResult | None = None
    until: int = EARLIEST


class Monitor:
    """Of one release. It knows the reference for good; what `state` gives is all that windows change.

    Args:
        reference: rows as a release holds them.
        columns: those of it that traffic has too.
        losses: None: nothing is known of truths.
        rows_per_day: that are known to come; None: silence tells nothing.
        seasons: name -> rows of the season before, as the reference holds them; of a season that is not named, and
            whose settings say `year_before`, those of the reference.
        positive: class of which the share is looked at, by slice; None: none is.
        optional: of the columns, those that callers may leave out.
        levers: of a panel, that are watched; None: none are.
        panel: that the rows are of; None: each is a sample by itself, or of a unit of the settings.
    """

    def __init__(
        self,
        reference: pa.Table,
        columns: Sequence[str],
        settings: MonitoringRecipe,
        budget: Budget,
        losses: LossOf | None = None,
        rows_per_day: float | None = None,
        seasons: Mapping[str, pa.Table] | None = None,
        positive: str | None = None,
        optional: Collection[str] = (),
        seed: int = 0,
        panel: Panel | None = None,
        levers: Levers | None = None,
    ) -> None:
        self._settings, self._budget, self._seed, self._panel = settings, budget, seed, panel
        if panel is not None:
            self._settings = settings = settings.model_copy(update={"unit": settings.unit or PERIOD})
            reference, rows_per_day = panel.with_period(reference), None  # of a period they come when it suits
        self._against = Against(reference, columns, optional, settings, budget, rows_per_day, seed)
        self._whole = self._against.all_columns()
        self._seasons = RowSeasons(settings)
        self._estimate = _estimated(reference)
        self._slices = self._live_slices(reference, positive)
        self._attribution = None if panel is not None else self._attribution_watch(reference)
        self._stream = StreamTest.fit(self._whole.observed(reference), self._by_period.run_length(OF_STREAM), seed=seed)
        self._weeks = None if panel is None or not panel.season else SeasonWatch(panel, self._by_period, seed)
        before = self._seasons.before(reference) | dict(seasons or {})
        self._season_tests = {
            name: WindowTest.fit(self._whole.observed(rows), level=budget.level(OF_WINDOW), seed=seed)
            for name, rows in before.items()
            if len(rows) >= LEAST_SEASON and self._weeks is None  # which looks at the same weeks anyway
        }
        self._labels = self._label_watch(reference, before, losses)
        self._levers = None
        if panel is not None and levers is not None and losses is not None:
            truths = reference_truths(reference, losses.truth)
            self._levers = PanelLevers.fit(levers, panel, reference, truths, self._by_period.run_length(OF_LEVERS))
        self._pending = _Pending()

    def would_alarm(self, rows: pa.Table, labelled: pa.Table, known: Collection[str] = ()) -> bool:
        """Whether a test that runs along finds something by now.

        Of a window that is not over; each call may know more rows and labels of it than the one before.

        Args: known: detectors that found something in the window before; that they still do is no news.
        """
        if self._panel is not None:  # a period says something once it is whole
            return False
        self._go_along(rows, labelled)
        stream = self._pending.stream
        finds = {
            OF_STREAM: stream is not None and stream.alarm,
            OF_LABELS: self._labels is not None and self._labels.alarms,
        }
        return any(alarm and detector not in known for detector, alarm in finds.items())

    def look(
        self, rows: pa.Table, labelled: pa.Table, together: pa.Table, bounds: tuple[int, int] | None = None
    ) -> Verdict:
        """Args:
        rows: that are new, those without an answer too.
        labelled: answers whose labels are new, with `loss`.
        together: the rows that are looked at as one; with those of earlier windows that had too few.
        bounds: of the time in which all of these came, microseconds since 1970 UTC, the end not in it.
        """
        if self._panel is not None:
            rows, labelled, together = (self._panel.with_period(each) for each in (rows, labelled, together))
        self._go_along(rows, labelled, over=True)
        stream, self._pending = self._pending.stream, _Pending()
        is_answered = np.ones(len(together), np.bool_)
        if "error" in together.column_names:
            is_answered = np.asarray(together["error"].is_null(), np.bool_)
        answered = np.flatnonzero(is_answered)
        whole = together.filter(pa.array(is_answered))
        fitted = self._against.of(whole)
        window, seasons = fitted.observed(whole), self._seasons.of(whole)
        season = most(seasons)
        weeks = None if self._weeks is None else self._weeks.look(whole, answered)
        quality, _ = self._of_quality(fitted, together, bounds, () if weeks is None else weeks.faults)
        of_window = self._of_window(fitted, window, answered) if weeks is None else weeks.evidence[0]
        evidence = [quality, *(() if weeks is None else weeks.evidence[1:])]
        if stream is not None:
            # Where the window test names no rows, those that came since then show it, the latest most surely.
            times = None if of_window.rows else microseconds(together, "time")
            evidence.append(stream_evidence(stream, times))
        evidence.append(of_window)
        if self._slices is not None:
            once = whole.take(pa.array(once_per_unit(window, np.random.default_rng(self._seed))))
            evidence.append(fairness_evidence(self._slices.test(once), self._budget.level(OF_FAIRNESS)))
        if self._attribution is not None:
            evidence.append(self._attribution.look(_answered(rows), together))
        if self._labels is not None:
            outside = quality.alarm and bool(len(labelled)) and self._errs_outside_faults(self._labels, labelled)
            moved = inputs_moved(evidence) and len(rows) > 0
            since = int(microseconds(rows, "time").min()) if moved else None
            evidence += self._labels.end(season, outside, since)
        if self._levers is not None:
            evidence.append(self._levers.look(labelled))
        if season in self._season_tests and window.count >= self._settings.window.rows:
            in_season = self._whole.observed(whole.filter(pa.array(seasons == season)))
            result = self._season_tests[season].test(in_season)
            evidence.append(window_evidence(OF_SEASON, result, self._budget.level(OF_WINDOW), None))
        if self._estimate is not None:
            evidence.append(estimate_evidence(self._estimate.test(whole), self._budget.level(OF_WINDOW)))
        return judge(evidence, season)

    def state(self) -> dict[str, Any]:
        """After a window; plain JSON."""
        watches = {"stream": self._stream, **self._watches}
        return {name: None if watch is None else watch.state() for name, watch in watches.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """What is of another reference, or of other settings, begins anew."""
        self._pending = _Pending()
        with suppress(DataError):
            self._stream.restore(state["stream"])
        for name, watch in self._watches.items():
            if watch is not None and state.get(name) is not None:
                watch.restore(state[name])

    @property
    def _watches(self) -> dict[str, LabelWatch | PanelLabels | SeasonWatch | PanelLevers | AttributionWatch | None]:
        """What remembers windows, beside the stream test."""
        found = {"labels": self._labels, "weeks": self._weeks, "levers": self._levers}
        return found | {"attribution": self._attribution}

    def _go_along(self, rows: pa.Table, labelled: pa.Table, over: bool = False) -> None:
        """Give the tests that run along what they have not seen of this window."""
        pending = self._pending
        # Samples that come together count once a day, so the day must be over.
        if self._weeks is None and (self._whole.unit is None or over):
            fresh = rows.filter(pa.array(microseconds(rows, "time") > pending.until))
            fresh = _answered(fresh)
            # Of a season that was expected it would find that out, and remember it on the days after.
            fresh = fresh.filter(pa.array(self._seasons.of(fresh) == ""))
            if len(fresh) or pending.stream is None:
                pending.stream = self._stream.update(self._whole.observed(fresh), pending.stream)
            pending.until = int(microseconds(rows, "time").max(initial=pending.until))
        if self._labels is not None and len(labelled):
            self._labels.add(labelled, self._seasons.of(labelled))

    def _label_watch(
        self, reference: pa.Table, before: Mapping[str, pa.Table], losses: LossOf | None
    ) -> LabelWatch | PanelLabels | None:
        if losses is None:
            return None
        known = losses.of_reference(reference)
        if np.isnan(known).all():
            return None
        seasons = {name: (rows, losses.of_reference(rows)) for name, rows in before.items()}
        run, settings = self._by_period.run_length(OF_LABELS), self._settings
        if self._panel is not None:
            return PanelLabels(self._panel, (reference, known), seasons, run, settings.slices, settings.margin)
        per_day = self._budget.rows_per_day
        return LabelWatch((reference, known), seasons, run, settings.slices, settings.margin, per_day)

    def _live_slices(self, reference: pa.Table, positive: str | None) -> LiveSlices | None:
        by = [name for name in self._settings.slices if METADATA + name in self._whole.columns]
        if positive is None or not by:
            return None
        return LiveSlices.fit(reference, by, positive=positive, level=self._budget.level(OF_FAIRNESS))

    def _attribution_watch(self, reference: pa.Table) -> AttributionWatch | None:
        return AttributionWatch.fit(
            reference,
            self._whole.columns,
            unit=self._whole.unit,
            level=self._budget.level(OF_ATTRIBUTION),
            least=self._settings.window.rows,
            seed=self._seed,
        )

    @property
    def _by_period(self) -> Budget:
        """As if rows were periods, and windows of one, where all rows of a period are one fact."""
        if self._panel is None:
            return self._budget
        days = self._panel.period_days
        return replace(self._budget, rows_per_day=1 / days, window_days=days)

    def _of_quality(
        self,
        fitted: Fitted,
        rows: pa.Table,
        bounds: tuple[int, int] | None = None,
        more: Sequence[Fault] = (),
    ) -> tuple[Evidence, NDArray[np.intp]]:
        """And the rows that are faulty. Args: more: faults that were found elsewhere."""
        wanted = dict.fromkeys((*fitted.columns, *TIMES, *OF_A_LOG, *([PERIOD] if self._panel else [])))
        seen = rows.select([name for name in wanted if name in rows.column_names])
        since, until = bounds or (None, None)
        now = int(datetime.now(UTC).timestamp() * 1e6)
        result = fitted.quality.test(seen, now=now, since=since, until=until)
        result = replace(result, faults=(*more, *result.faults))
        return quality_evidence(result, self._budget.level(OF_QUALITY))

    def _of_window(self, fitted: Fitted, window: Observations, answered: NDArray[np.intp]) -> Evidence:
        level, least = self._budget.level(OF_WINDOW), self._settings.window.rows
        if window.count < least:
            lacking = least - window.count
            return Evidence(OF_WINDOW, False, f"{lacking:,} rows are lacking", level=level, more=lacking)
        if level * MOST < 1:
            told = "so many windows a year that no test of one could ever alarm; let windows be longer"
            return Evidence(OF_WINDOW, False, told, level=level)
        return window_evidence(OF_WINDOW, fitted.window.test(window), level, answered)

    def _errs_outside_faults(self, labels: LabelWatch | PanelLabels, labelled: pa.Table) -> bool:
        """Whether the answers that nothing is wrong with are wrong more often than they may be, too."""
        _, faulty = self._of_quality(self._against.of(labelled), labelled)
        return labels.errs_more(labelled.take(pa.array(np.delete(np.arange(len(labelled)), faulty))))


def _answered(rows: pa.Table) -> pa.Table:
    return rows.filter(rows["error"].is_null()) if "error" in rows.column_names else rows


def _estimated(reference: pa.Table) -> EstimatedPerformance | None:
    """None: the reference tells nothing of how often it was right."""
    try:
        return EstimatedPerformance.fit(reference)
    except DataError:
        return None
