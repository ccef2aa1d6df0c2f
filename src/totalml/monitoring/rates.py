"""How many rows come at each hour of the week, and how long none can come, or how many, before something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from totalml.monitoring.chances import as_many_arrivals
from totalml.monitoring.faults import Fault
from totalml.monitoring.local_time import EARLIEST, HOUR_US, LATEST, hours_of_week, is_known
from totalml.monitoring.stream_order import moment_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Times = NDArray[np.int64]

LEAST_HOURS = 2 * 24  # of a reference that tells rates; of one shorter than two weeks all days count as alike
TWO_WEEKS = 14 * 24
MOST_HOURS = 10 * 366 * 24
CAUTIOUS = 2.0  # standard errors by which a rate of the reference may be off
BURST = 5.0  # times what is expected, so that a busy evening is none


@dataclass(frozen=True)
class RateProfile:
    """Args:
    rates: (168,) rows an hour, from Monday's first hour on, in the zone.
    errors: (168,) their standard errors.
    dispersion: variance of the count of an hour over its mean, at least 1: people come in groups.
    """

    rates: Numbers
    errors: Numbers
    dispersion: float
    zone: str = "UTC"

    @classmethod
    def fit(cls, times: Times, zone: str = "UTC", rows_per_day: float | None = None) -> RateProfile | None:
        """None: the times span too little, under two days, to tell.

        Args:
            times: (N,) int64 microseconds since 1970 UTC, in any order.
            rows_per_day: that traffic has, where the times tell only of its shape.
        """
        times = times[is_known(times)]
        if not len(times):
            return None
        # Of whole hours only: of the first and the last one nobody knows how much of it was looked at.
        first, last = -(-int(times.min()) // HOUR_US), int(times.max()) // HOUR_US
        if not LEAST_HOURS <= last - first <= MOST_HOURS:
            return None
        hours = np.arange(first, last)
        came = times // HOUR_US - first
        counts = np.bincount(came[(came >= 0) & (came < len(hours))], minlength=len(hours))
        cells = hours_of_week(hours * HOUR_US, zone)
        cells = cells if len(hours) >= TWO_WEEKS else cells % 24
        size = 168 if len(hours) >= TWO_WEEKS else 24
        seen = np.bincount(cells, minlength=size)
        # As if each had been looked at for one more hour, an average one: no hour is sure to be empty.
        rates = (np.bincount(cells, counts, size) + counts.mean()) / (seen + 1)
        expected = np.maximum(rates[cells], 1e-12)
        dispersion = max(1.0, float(((counts - expected) ** 2 / expected).sum()) / max(1, len(hours) - size))
        factor = 1.0 if rows_per_day is None else rows_per_day / 24 / max(float(rates.mean()), 1e-12)
        rates, dispersion = np.tile(rates, 168 // size), max(1.0, dispersion * min(1.0, factor))
        errors = np.sqrt(rates * dispersion / np.tile(seen + 1, 168 // size))
        return cls(rates * factor, errors * factor, dispersion, zone)

    def expected(self, since: int, until: int) -> float:
        """Rows that come between two moments, in microseconds since 1970 UTC."""
        hours = np.arange(since // HOUR_US, until // HOUR_US + 1)
        return float(np.diff(self._passed(hours, self.rates, np.array([since, until])))[0])

    def faults(self, times: Times, since: int | None, until: int | None) -> Iterator[Fault]:
        """The least likely silence and the least likely burst of a window.

        Args: since, until: bounds of the window; None: its first, last row.
        """
        times = np.sort(times[is_known(times)])
        since, until = EARLIEST if since is None else since, LATEST if until is None else until
        times = times[slice(*np.searchsorted(times, [since, until]))]
        bounds = [bound for bound in (since, until) if EARLIEST < bound < LATEST]
        edges = np.unique(np.append(times, np.array(bounds, np.int64)))
        if not len(edges):
            return
        hours = np.arange(edges[0] // HOUR_US, edges[-1] // HOUR_US + 1)
        if len(hours) > MOST_HOURS:
            return
        yield self._silence(edges, hours)
        yield self._burst(times, hours)

    def _silence(self, edges: Times, hours: Times) -> Fault:
        if len(edges) < 2:
            return Fault("silence", "", 1.0)
        least = np.maximum(self.rates - CAUTIOUS * self.errors, self.rates / 4)
        awaited = np.diff(self._passed(hours, least, edges))
        place = int(awaited.argmax())
        p = min(1.0, len(awaited) * float(np.exp(-awaited[place] / self.dispersion)))
        start, end = (moment_words(int(each)) for each in edges[place : place + 2])
        return Fault("silence", "", p, detail=f"from {start} to {end}, where {awaited[place]:.0f} or more were to come")

    def _burst(self, times: Times, hours: Times) -> Fault:
        cells = hours_of_week(hours * HOUR_US, self.zone)
        most = (self.rates + CAUTIOUS * self.errors)[cells]
        counts = np.bincount(times // HOUR_US - hours[0], minlength=len(hours)).astype(np.float64)
        chances = as_many_arrivals(counts / self.dispersion, most / self.dispersion)
        chances = np.where(counts > BURST * self.rates[cells], chances, 1.0)
        place = int(chances.argmin())
        hour, usual = moment_words(int(hours[place]) * HOUR_US), self.rates[cells[place]]
        detail = f"{counts[place]:.0f} in the hour from {hour}, where {usual:.3g} come"
        return Fault("burst", "", min(1.0, float(chances[place]) * len(hours)), detail=detail)

    def _passed(self, hours: Times, rates: Numbers, moments: Times) -> Numbers:
        """Rows expected from the first of the hours up to each moment."""
        by_hour = rates[hours_of_week(hours * HOUR_US, self.zone)]
        sums = np.concatenate([[0.0], np.cumsum(by_hour)])
        return np.interp(moments, np.append(hours, hours[-1] + 1) * HOUR_US, sums)
