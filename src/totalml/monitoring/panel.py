"""A panel: several series, each with a row a period. All rows of a period are one fact, and a season is one too.

What moves one series moves all of them in that week, so 40 rows of a week say as much of a model as one; and a window
is held against the same weeks of earlier years, not against whatever half year a model was judged on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from totalml.data.times import as_times
from totalml.monitoring.observations import as_numbers
from totalml.monitoring.table_times import microseconds
from totalml.release.bundle import PERIODS, Bundle
from totalml.release.log_rows import METADATA
from totalml.release.period_errors import ERROR, LEARNT
from totalml.release.periods import PANEL, PERIOD, ROWS, Scale, medians

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Ints = NDArray[np.int64]

TIMESTAMP = METADATA + "timestamp"  # of a row of the log, if its sender told it
MOMENTS = (TIMESTAMP, "timestamp", "time")  # of which the first that is there tells the period
DAY_US = 86_400_000_000
YEAR_DAYS = 365.25
NEARLY = 0.01  # as a share, by which a season may differ from a year to be one
SLACK = 0.1  # of a period, since months are not all as long
LEAST_SHARE = 0.5  # of the usual rows of a period, with which it can be looked at


@dataclass(frozen=True)
class Panel:
    """Args:
    series: column of the log that says of which series a row is.
    season: in periods; None: there is none.
    starts: (P,) ascending, first moments of the periods that the release knew, microseconds since 1970 UTC.
    usual_rows: of a period.
    values: (P, C) how far each column was from what is usual for a series; NaN where nobody knows.
    scales: of these columns, by their names in the log.
    errors: (P, T) of each target, the median over the series of truth less answer; no columns: nobody kept them.
    error_scales: of these, by target.
    learnt: (P,) whether the model was trained on rows of the period.
    """

    series: str
    season: int | None
    starts: Ints
    usual_rows: float
    values: Numbers
    scales: Mapping[str, Scale] = field(default_factory=dict)
    errors: Numbers = field(default_factory=lambda: np.zeros((0, 0)))
    error_scales: Mapping[str, Scale] = field(default_factory=dict)
    learnt: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    @classmethod
    def read(cls, bundle: Bundle) -> Self | None:
        """None: the release is of no series, or of before it kept their periods. Raises: StoreError: it is damaged."""
        return cls.of(pq.read_table(bundle.file(PERIODS))) if PERIODS in bundle else None

    @classmethod
    def of(cls, table: pa.Table) -> Self | None:
        """Args: table: as a release holds it. Returns: None: there are fewer than two periods."""
        told = json.loads(table.schema.metadata[PANEL])
        starts = np.asarray(table[PERIOD].cast(pa.int64()))
        if len(starts) < 2:
            return None
        scales = {name: Scale(**each) for name, each in told["scales"].items()}
        errors = {name: Scale(**each) for name, each in told.get("errors", {}).items()}
        return cls(
            series=METADATA + told["series"],
            season=told["season"],
            starts=starts,
            usual_rows=float(np.median(as_numbers(table[ROWS]))),
            values=_columns(table, [*scales]),
            scales=scales,
            errors=_columns(table, [ERROR + name for name in errors]),
            error_scales=errors,
            learnt=np.asarray(table[LEARNT] if errors else np.zeros(len(starts)), np.bool_),
        )

    @cached_property
    def period_us(self) -> float:
        """In the mean, as months are not all as long."""
        return float(self.starts[-1] - self.starts[0]) / float(self.numbers_of_starts[-1])

    @cached_property
    def numbers_of_starts(self) -> Ints:
        """(P,) 0 is the first; one that is missing has a number of its own."""
        usual = float(np.median(np.diff(self.starts)))
        return np.round((self.starts - self.starts[0]) / usual).astype(np.int64)

    @property
    def period_days(self) -> float:
        return self.period_us / DAY_US

    def earlier(self, seasons: int) -> int:
        """How many periods ago it was the same time of so many seasons before; of about a year, by the calendar."""
        season = (self.season or 1) * self.period_days
        whole = YEAR_DAYS if abs(season / YEAR_DAYS - 1) <= NEARLY else season
        return round(seasons * whole / self.period_days)

    def numbers(self, rows: pa.Table) -> Ints:
        """(N,) in which period each row is."""
        return self._at(_moments(rows))

    def start(self, number: int) -> int:
        """Microseconds since 1970 UTC."""
        return int(self.starts[0] + number * self.period_us)

    def whole(self, numbers: Ints) -> Ints:
        """(K,) ascending, the periods that at least half of the usual rows are of."""
        found, counts = np.unique(numbers, return_counts=True)
        return found[counts >= LEAST_SHARE * self.usual_rows]

    def without_ahead(self, labelled: pa.Table) -> pa.Table:
        """Without rows of periods that began after their label came: such a date is wrong, and makes later ones old."""
        if "labelled" not in labelled.column_names:
            return labelled
        return labelled.filter(pa.array(self.numbers(labelled) <= self._at(microseconds(labelled, "labelled"))))

    def with_period(self, rows: pa.Table) -> pa.Table:
        """With a column `period`, by which rows come together."""
        return rows if PERIOD in rows.column_names else rows.append_column(PERIOD, pa.array(self.numbers(rows)))

    def summary(self, rows: pa.Table, periods: Ints) -> Numbers:
        """(K, C) as `values`, of these periods."""
        numbers = self.numbers(rows)
        order = np.argsort(numbers, kind="stable")
        firsts, lasts = (np.searchsorted(numbers[order], periods, side) for side in ("left", "right"))
        series = self.series_of(rows)[order]
        found = np.full((len(periods), len(self.scales)), np.nan)
        for place, (name, scale) in enumerate(self.scales.items()):
            if name in rows.column_names and not pa.types.is_null(rows[name].type):
                apart = scale.apart(as_numbers(rows[name])[order], series)
                for row, (first, last) in enumerate(zip(firsts, lasts, strict=True)):
                    found[row, place] = medians(apart[first:last], np.array([0, last - first]))[0]
        return found

    def series_of(self, rows: pa.Table) -> NDArray[np.str_]:
        """(N,) its name; empty: nobody knows."""
        if self.series not in rows.column_names:
            return np.full(len(rows), "")
        return np.asarray(rows[self.series].cast(pa.string()).fill_null("").to_numpy(zero_copy_only=False), np.str_)

    def _at(self, moments: Ints) -> Ints:
        return np.floor((moments - self.starts[0]) / self.period_us + SLACK).astype(np.int64)


def means(values: Numbers, groups: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.intp], Numbers, Ints]:
    """Of rows that are alike in all groups: the first row of each, the mean of (N,) values, and how many it is of."""
    keys = np.stack(groups, axis=1) if groups else np.zeros((len(values), 1), np.int64)
    _, first, place, counts = np.unique(keys, axis=0, return_index=True, return_inverse=True, return_counts=True)
    return first, np.bincount(place.ravel(), values, minlength=len(first)) / counts, counts


def _columns(table: pa.Table, names: Sequence[str]) -> Numbers:
    """(N, C)"""
    return np.array([as_numbers(table[name]) for name in names]).reshape(len(names), len(table)).T


def _moments(rows: pa.Table) -> Ints:
    """(N,) microseconds since 1970 UTC; what a sender told of a row goes before when it came."""
    found = pa.nulls(len(rows), pa.timestamp("us", "UTC"))
    for name in MOMENTS:
        if name in rows.column_names and found.null_count:
            found = pc.fill_null(found, _times(rows[name].combine_chunks()))
    return np.asarray(pc.fill_null(found.cast(pa.int64()), 0))


def _times(column: pa.Array) -> pa.Array:
    """Null where the column holds no times."""
    try:
        return as_times(pa.chunked_array([column]), None).combine_chunks()
    except ValueError:
        return pa.nulls(len(column), pa.timestamp("us", "UTC"))
