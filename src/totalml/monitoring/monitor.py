"""Hold each window of traffic against the reference of its release, and say what caused what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.errors import DataError
from totalml.monitoring.cause import judge
from totalml.monitoring.estimated_performance import EstimatedPerformance
from totalml.monitoring.label import LabelTest
from totalml.monitoring.label_evidence import label_evidence, slice_evidence
from totalml.monitoring.observations import TIMES, Observations, as_categories, observe
from totalml.monitoring.quality_evidence import quality_evidence
from totalml.monitoring.seasons import Seasons, season_reference
from totalml.monitoring.stream import StreamTest
from totalml.monitoring.stream_quality import StreamQuality
from totalml.monitoring.traffic import LOSS
from totalml.monitoring.verdict import (
    OF_LABELS,
    OF_QUALITY,
    OF_SEASON,
    OF_STREAM,
    OF_WINDOW,
    Evidence,
    Verdict,
)
from totalml.monitoring.window import WindowTest
from totalml.monitoring.window_evidence import estimate_evidence, stream_evidence, window_evidence
from totalml.release.log_rows import METADATA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.budget import Budget
    from totalml.monitoring.losses import LossOf
    from totalml.monitoring.stream import StreamResult
    from totalml.recipe.monitoring import MonitoringRecipe

OF_A_LOG = ("error", "input", "replica")  # that quality is asked of, beside the columns of the reference
LEAST_SEASON = 30  # rows of a season before, to hold one against
MOST_TOLD = 3  # columns in a sentence
MOST_ROWS = 60  # that show what moved


class Monitor:
    """Of one release. It knows the reference for good; what `state` gives is all that windows change.

    Args:
        reference: rows as a release holds them.
        columns: those of it that traffic has too.
        losses: None: nothing is known of truths.
        rows_per_day: that are known to come; None: silence tells nothing.
    """

    def __init__(
        self,
        reference: pa.Table,
        columns: Sequence[str],
        settings: MonitoringRecipe,
        budget: Budget,
        losses: LossOf | None = None,
        rows_per_day: float | None = None,
        seed: int = 0,
    ) -> None:
        self._settings, self._budget, self._seed = settings, budget, seed
        self._columns = [name for name in columns if name in reference.column_names]
        self._unit = settings.unit if f"{METADATA}{settings.unit}" in self._columns else None
        times = [name for name in TIMES if name in reference.column_names]
        self._timed = reference.select([*self._columns, *(name for name in times if name not in self._columns)])
        self._known = observe(self._timed, self._unit)
        self._window = WindowTest.fit(self._known, level=budget.level(OF_WINDOW), seed=seed)
        self._quality = StreamQuality.fit(
            self._timed,
            by=[name for name in settings.populations if METADATA + name in self._columns],
            unit=self._unit,
            rows_per_day=rows_per_day,
            level=budget.level(OF_QUALITY),
        )
        self._estimate = _estimated(reference)
        self._stream = StreamTest.fit(self._known, budget.run_length(OF_STREAM), seed=seed)
        self._labels = self._label_test(reference, losses)
        self._seasons = Seasons(settings.seasons)
        self._pending = _Pending()

    def would_alarm(self, rows: pa.Table, labelled: pa.Table) -> bool:
        """Whether a test that runs along finds something by now.

        Of a window that is not over; each call may know more rows and labels of it than the one before.
        """
        self._go_along(rows, labelled)
        found = (self._pending.stream, self._pending.labels)
        return any(each is not None and each.alarm for each in found)

    def look(self, rows: pa.Table, labelled: pa.Table, together: pa.Table) -> Verdict:
        """Args:
        rows: that are new, those without an answer too.
        labelled: answers whose labels are new, with `loss`.
        together: the rows that are looked at as one; with those of earlier windows that had too few.
        """
        self._go_along(rows, labelled, over=True)
        pending, self._pending = self._pending, _Pending()
        answered = np.flatnonzero(np.asarray(together["error"].is_null())) if "error" in together.column_names else None
        whole = together if answered is None else together.take(pa.array(answered))
        window = self._observed(whole)
        quality, _ = self._of_quality(together)
        season = self._season_of(window)
        evidence = [quality, *self._of_labels(pending, labelled, faulty=quality.alarm)]
        if pending.stream is not None:
            evidence.append(stream_evidence(pending.stream))
        evidence.append(self._of_window(window, answered))
        if self._estimate is not None:
            evidence.append(estimate_evidence(self._estimate.test(whole), self._budget.level(OF_WINDOW)))
        if season is not None and (of_season := self._of_season(window, season)) is not None:
            evidence.append(of_season)
        return judge(evidence, "" if season is None else self._seasons.settings[season].name)

    def state(self) -> dict[str, Any]:
        """After a window; plain JSON."""
        labels = None if self._labels is None else self._labels.state()
        return {"stream": self._stream.state(), "labels": labels}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Raises: DataError: it is of another reference or of other settings."""
        self._pending = _Pending()
        self._stream.restore(state["stream"])
        if self._labels is not None and state["labels"] is not None:
            self._labels.restore(state["labels"])

    def _go_along(self, rows: pa.Table, labelled: pa.Table, over: bool = False) -> None:
        """Give the tests that run along what they have not seen of this window."""
        pending = self._pending
        if self._unit is None or over:  # samples that come together count once a day, so the day must be over
            fresh = _after(rows, "time", pending.rows_until)
            if "error" in fresh.column_names:
                fresh = fresh.filter(fresh["error"].is_null())
            if len(fresh) or pending.stream is None:
                before = pending.stream
                pending.stream = self._stream.update(self._observed(fresh))
                if before is not None and before.alarm and not pending.stream.alarm:
                    pending.stream = before
            pending.rows_until = _last(rows, "time", pending.rows_until)
        if self._labels is not None and len(fresh := _after(labelled, "labelled", pending.labels_until)):
            before_labels = pending.labels
            pending.labels = self._labels.update(
                np.asarray(fresh[LOSS]), slices=self._slices(fresh), times=_microseconds(fresh, "labelled")
            )
            if before_labels is not None and before_labels.alarm and not pending.labels.alarm:
                pending.labels = before_labels
            pending.labels_until = _last(labelled, "labelled", pending.labels_until)

    def _label_test(self, reference: pa.Table, losses: LossOf | None) -> LabelTest | None:
        if losses is None:
            return None
        known = losses.of_reference(reference)
        if np.isnan(known).all():
            return None
        return LabelTest.fit(known, self._budget.run_length(OF_LABELS), slices=self._slices(reference))

    def _slices(self, rows: pa.Table) -> dict[str, NDArray[np.bool_]]:
        """`column=value` -> which rows belong to it."""
        found: dict[str, NDArray[np.bool_]] = {}
        for name in self._settings.slices:
            if METADATA + name in rows.column_names and not pa.types.is_null(rows[METADATA + name].type):
                each = as_categories(rows[METADATA + name].cast(pa.string()))
                found |= {f"{name}={value}": each.codes == code for code, value in enumerate(each.names)}
        return found

    def _observed(self, rows: pa.Table) -> Observations:
        there = [name for name in (*self._columns, *TIMES) if name in rows.column_names]
        return observe(rows.select(dict.fromkeys(there)), self._unit if len(rows) else None)

    def _of_quality(self, rows: pa.Table) -> tuple[Evidence, NDArray[np.intp]]:
        """And the rows that are faulty."""
        wanted = dict.fromkeys((*self._columns, *TIMES, *OF_A_LOG))
        seen = rows.select([name for name in wanted if name in rows.column_names])
        result = self._quality.test(seen, now=int(datetime.now(UTC).timestamp() * 1e6))
        return quality_evidence(result, self._budget.level(OF_QUALITY))

    def _of_window(self, window: Observations, answered: NDArray[np.intp] | None) -> Evidence:
        level, least = self._budget.level(OF_WINDOW), self._settings.window.rows
        if window.count < least:
            lacking = least - window.count
            return Evidence(OF_WINDOW, False, f"{lacking:,} rows are lacking", level=level, more=lacking)
        return window_evidence(OF_WINDOW, self._window.test(window), level, answered)

    def _season_of(self, window: Observations) -> int | None:
        """That of most of its rows."""
        if window.times is None or not window.count:
            return None
        places, counts = np.unique(self._seasons.at(window.times, self._settings.zone), return_counts=True)
        most = int(places[counts.argmax()])
        return None if most < 0 else most

    def _of_season(self, window: Observations, season: int) -> Evidence | None:
        """Whether the window differs from the same season before; None: there is none to hold it against."""
        chosen = self._seasons.settings[season]
        if chosen.reference is None or window.times is None or window.count < self._settings.window.rows:
            return None
        in_season = self._seasons.at(window.times, self._settings.zone) == season
        at = int(np.median(window.times[in_season]))
        before = season_reference(self._known, chosen, at, self._settings.zone)
        if before.count < LEAST_SEASON:
            return None
        level = self._budget.level(OF_WINDOW)
        test = WindowTest.fit(before, level=level, seed=self._seed)
        return window_evidence(OF_SEASON, test.test(window.take(in_season)), level, None)

    def _of_labels(self, pending: _Pending, labelled: pa.Table, faulty: bool) -> list[Evidence]:
        if self._labels is None:
            return []
        outside = False
        if faulty and len(labelled):
            outside = self._errs_outside_faults(labelled)
        still = self._labels.still_right(self._settings.margin)
        told = label_evidence(pending.labels, still, self._labels.too_few, self._labels.loss, outside)
        return [told, slice_evidence(self._labels.worse_slices(SLICES_LEVEL))]

    def _errs_outside_faults(self, labelled: pa.Table) -> bool:
        """Whether the answers that nothing is wrong with are wrong more often than they may be, too."""
        from totalml.deployment.sequential import share_bounds

        assert self._labels is not None  # noqa: S101  # for the type checker
        _, faulty = self._of_quality(labelled)
        clean = np.delete(np.asarray(labelled[LOSS], np.float64), faulty[faulty < len(labelled)])
        low, _ = share_bounds(float(clean.sum()), len(clean), 0.05)
        return low > self._labels.bound


def _estimated(reference: pa.Table) -> EstimatedPerformance | None:
    """None: the reference tells nothing of how often it was right."""
    try:
        return EstimatedPerformance.fit(reference)
    except DataError:
        return None


SLICES_LEVEL = 0.01  # that any slice is ever said to be worse while none is


@dataclass
class _Pending:
    """What the tests that run along said within a window that is not written down yet."""

    stream: StreamResult | None = None
    labels: Any = None
    rows_until: int = np.iinfo(np.int64).min
    labels_until: int = np.iinfo(np.int64).min


def _after(rows: pa.Table, column: str, until: int) -> pa.Table:
    if not len(rows):
        return rows
    return rows.filter(pa.array(_microseconds(rows, column) > until))


def _last(rows: pa.Table, column: str, until: int) -> int:
    return max(until, int(_microseconds(rows, column).max())) if len(rows) else until


def _microseconds(rows: pa.Table, column: str) -> NDArray[np.int64]:
    if column not in rows.column_names:
        return np.arange(len(rows), dtype=np.int64)
    return np.asarray(pc.cast(rows[column], pa.timestamp("us", "UTC")).cast(pa.int64()))
