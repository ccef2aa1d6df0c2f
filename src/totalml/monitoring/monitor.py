"""Hold each window of traffic against the reference of its release, and say what caused what was found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from totalml.monitoring.against import Against, Fitted
from totalml.monitoring.cause import inputs_moved, judge
from totalml.monitoring.detectors import Detectors
from totalml.monitoring.label_watch import LabelWatch
from totalml.monitoring.observations import TIMES, Observations
from totalml.monitoring.once_per_unit import once_per_unit
from totalml.monitoring.panel_labels import PanelLabels
from totalml.monitoring.quality_evidence import quality_evidence
from totalml.monitoring.row_seasons import RowSeasons, most
from totalml.monitoring.stream import StreamResult
from totalml.monitoring.table_times import microseconds
from totalml.monitoring.verdict import (
    OF_FAIRNESS,
    OF_LABELS,
    OF_QUALITY,
    OF_SEASON,
    OF_STREAM,
    OF_WINDOW,
    Evidence,
    Verdict,
)
from totalml.monitoring.window import MOST
from totalml.monitoring.window_evidence import (
    estimate_evidence,
    fairness_evidence,
    stream_evidence,
    window_evidence,
)
from totalml.release.periods import PERIOD
from totalml.values.shown import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.budget import Budget
    from totalml.monitoring.faults import Fault
    from totalml.monitoring.levers import Levers
    from totalml.monitoring.losses import LossOf
    from totalml.monitoring.panel import Panel
    from totalml.recipe.monitoring import MonitoringRecipe

OF_A_LOG = ("error", "input", "replica")  # that quality is asked of, beside the columns of the reference
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
        before = self._seasons.before(reference) | dict(seasons or {})
        self._detectors = Detectors.fit(
            reference, self._whole, settings, budget, losses, before, positive, panel, levers, seed
        )
        self._pending, self._resolved = _Pending(), 0

    def restart_after(self, event: int) -> None:
        """Begin anew with what tells of errors, where people said after what it remembers that it is over.

        Args: event: the last one by which they said so; 0: they never did.
        """
        if event > self._resolved:
            self._resolved = event
            for watch in (self._detectors.labels, self._detectors.levers):
                if watch is not None:
                    watch.restart()

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
            OF_LABELS: self._detectors.labels is not None and self._detectors.labels.alarms,
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
            labelled = self._panel.without_ahead(labelled)
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
        detectors = self._detectors
        weeks = None if detectors.weeks is None else detectors.weeks.look(whole, answered)
        quality, _ = self._of_quality(fitted, together, bounds, () if weeks is None else weeks.faults)
        of_window = self._of_window(fitted, window, answered) if weeks is None else weeks.evidence[0]
        evidence = [quality, *(() if weeks is None else weeks.evidence[1:])]
        if stream is not None:
            # Where the window test names no rows, those that came since then show it, the latest most surely.
            times = None if of_window.rows else microseconds(together, "time")
            evidence.append(stream_evidence(stream, times))
        evidence.append(of_window)
        if detectors.slices is not None:
            once = whole.take(pa.array(once_per_unit(window, np.random.default_rng(self._seed))))
            evidence.append(fairness_evidence(detectors.slices.test(once), self._budget.level(OF_FAIRNESS)))
        if season in detectors.attribution:
            fresh = _answered(rows)
            of_season = fresh.filter(pa.array(self._seasons.of(fresh) == season))
            evidence.append(detectors.attribution[season].look(of_season, together))
        if detectors.labels is not None:
            outside = quality.alarm and bool(len(labelled)) and self._errs_outside_faults(detectors.labels, labelled)
            moved = inputs_moved(evidence) and len(rows) > 0
            since = int(microseconds(rows, "time").min()) if moved else None
            evidence += detectors.labels.end(season, outside, since)
        if detectors.periods is not None:
            evidence.append(detectors.periods.look(labelled))
        if detectors.levers is not None:
            evidence.append(detectors.levers.look(labelled))
        if season in detectors.season_tests and window.count >= self._settings.window.rows:
            in_season = self._whole.observed(whole.filter(pa.array(seasons == season)))
            result = detectors.season_tests[season].test(in_season)
            evidence.append(window_evidence(OF_SEASON, result, self._budget.level(OF_WINDOW), None))
        if detectors.estimate is not None:
            evidence.append(estimate_evidence(detectors.estimate.test(whole), self._budget.level(OF_WINDOW)))
        return judge(evidence, season)

    def state(self) -> dict[str, Any]:
        """After a window; plain JSON."""
        return self._detectors.state() | {"resolved": self._resolved}

    def restore(self, state: Mapping[str, Any]) -> None:
        """What is of another reference, or of other settings, begins anew."""
        resolved = state.get("resolved")
        self._pending, self._resolved = _Pending(), resolved if isinstance(resolved, int) else 0
        self._detectors.restore(state)

    def _go_along(self, rows: pa.Table, labelled: pa.Table, over: bool = False) -> None:
        """Give the tests that run along what they have not seen of this window."""
        pending = self._pending
        # Samples that come together count once a day, so the day must be over.
        if self._detectors.weeks is None and (self._whole.unit is None or over):
            fresh = rows.filter(pa.array(microseconds(rows, "time") > pending.until))
            fresh = _answered(fresh)
            # Of a season that was expected it would find that out, and remember it on the days after.
            fresh = fresh.filter(pa.array(self._seasons.of(fresh) == ""))
            if len(fresh) or pending.stream is None:
                pending.stream = self._detectors.stream.update(self._whole.observed(fresh), pending.stream)
            pending.until = int(microseconds(rows, "time").max(initial=pending.until))
        if self._detectors.labels is not None and len(labelled):
            self._detectors.labels.add(labelled, self._seasons.of(labelled))

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
            return Evidence(OF_WINDOW, False, f"{counted(lacking, 'row')} too few", level=level, more=lacking)
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
