"""What labels say of a panel: all of a period are one fact, and so are those of a slice within it.

A period counts once, in the window in which labels of at least half of its usual rows came; later ones change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from totalml.monitoring.label_watch import LabelWatch
from totalml.monitoring.observations import as_categories
from totalml.monitoring.panel import means
from totalml.monitoring.table_times import microseconds
from totalml.monitoring.traffic import LOSS
from totalml.release.log_rows import METADATA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.panel import Panel
    from totalml.monitoring.verdict import Evidence

    Losses = NDArray[np.float64]
    Known = tuple[pa.Table, Losses]

REMEMBERED = 500  # periods that were counted


class PanelLabels:
    """As `LabelWatch`, of which it has one for all rows and one for slices."""

    def __init__(
        self,
        panel: Panel,
        known: Known,
        seasons: Mapping[str, Known],
        average_run: float,
        slices: tuple[str, ...],
        margin: float,
    ) -> None:
        """Args: average_run: periods between two false alarms."""
        self._panel, self._slices = panel, slices
        whole = {name: self._by_period(*each) for name, each in seasons.items()}
        self._whole = LabelWatch(self._by_period(*known), whole, average_run, (), margin)
        self._parts = LabelWatch(self._by_slice(*known), {}, average_run, slices, margin)
        self._counted: list[int] = []

    @property
    def alarms(self) -> bool:
        return self._whole.alarms

    def add(self, labelled: pa.Table, season_of: NDArray[np.str_]) -> None:
        """Args: labelled: all of a window that is over."""
        numbers = self._panel.numbers(labelled)
        fresh = np.setdiff1d(self._panel.whole(numbers), self._counted)
        kept = np.isin(numbers, fresh)
        self._counted = sorted([*self._counted, *fresh.tolist()])[-REMEMBERED:]
        rows, seasons = labelled.filter(pa.array(kept)), season_of[kept]
        losses = np.asarray(rows[LOSS], np.float64)
        if len(rows):
            periods, of_period = self._by_period(rows, losses, seasons), self._by_slice(rows, losses)
            self._whole.add(
                _labelled(*periods), np.asarray(periods[0]["season"].to_numpy(zero_copy_only=False), np.str_)
            )
            self._parts.add(_labelled(*of_period), np.full(len(of_period[1]), "", seasons.dtype))

    def end(self, season: str, outside_quality: bool, moved_since: int | None) -> list[Evidence]:
        return [
            *self._whole.end(season, outside_quality, moved_since)[:-1],
            self._parts.end("", outside_quality, moved_since)[-1],
        ]

    def errs_more(self, labelled: pa.Table) -> bool:
        """Whether the losses of these alone are more than validation allows, period by period."""
        periods, losses = self._by_period(labelled, np.asarray(labelled[LOSS], np.float64))
        return self._whole.errs_more(periods.append_column(LOSS, pa.array(losses)))

    def restart(self) -> None:
        """After something was done about an alarm."""
        self._whole.restart()
        self._parts.restart()

    def state(self) -> dict[str, Any]:
        return {"whole": self._whole.state(), "parts": self._parts.state(), "counted": self._counted}

    def restore(self, state: Mapping[str, Any]) -> None:
        if "counted" in state:  # a monitor of before it knew of periods wrote none
            self._whole.restore(state["whole"])
            self._parts.restore(state["parts"])
            self._counted = [int(each) for each in state["counted"]]

    def _by_period(self, rows: pa.Table, losses: Losses, seasons: NDArray[np.str_] | None = None) -> Known:
        return self._means(rows, losses, None, {} if seasons is None else {"season": pa.array(seasons.tolist())})

    def _by_slice(self, rows: pa.Table, losses: Losses) -> Known:
        """A row for each period and value of each column; null in the other columns."""
        parts = [self._means(rows, losses, name, {}) for name in self._slices if METADATA + name in rows.column_names]
        if not parts:
            return self._means(rows.slice(0, 0), losses[:0], None, {})
        return pa.concat_tables([table for table, _ in parts], promote_options="permissive"), np.concatenate(
            [each for _, each in parts]
        )

    def _means(self, rows: pa.Table, losses: Losses, column: str | None, more: Mapping[str, pa.Array]) -> Known:
        rows = rows.filter(pa.array(~np.isnan(losses)))
        more = {name: values.filter(pa.array(~np.isnan(losses))) for name, values in more.items()}
        losses = losses[~np.isnan(losses)]
        groups = [self._panel.numbers(rows)]
        if column is not None:
            groups.append(as_categories(rows[METADATA + column].cast(pa.string())).codes.astype(np.int64))
        first, found, _ = means(losses, groups)
        names = ["time", "labelled", *([METADATA + column] if column is not None else [])]
        kept = rows.select([name for name in names if name in rows.column_names])
        for name, values in more.items():
            kept = kept.append_column(name, values)
        return kept.append_column("at", pa.array(groups[0])).take(pa.array(first)), found


def _labelled(rows: pa.Table, losses: Losses) -> pa.Table:
    """In the order in which the labels came."""
    rows = rows.append_column(LOSS, pa.array(losses))
    return rows.take(pa.array(np.argsort(microseconds(rows, "labelled"), kind="stable")))
