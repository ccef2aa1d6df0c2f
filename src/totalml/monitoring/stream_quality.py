"""Whether what comes in is what its senders meant to send: columns, values, times and failures, held to a reference.

What the reference shows by chance is no fault: each finding is a broken rule, or a share tested against the reference's
and corrected for all that was looked at. A median that moves within what is known is none; that is asked elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa

from totalml.errors import DataError
from totalml.monitoring.chances import beyond
from totalml.monitoring.column_checks import column_faults, schema_faults, share_fault
from totalml.monitoring.faults import Fault, StreamQualityResult, judged
from totalml.monitoring.observations import TIMES, Observations
from totalml.monitoring.populations import Population, Populations
from totalml.monitoring.rates import RateProfile
from totalml.monitoring.seen import ERROR, Seen
from totalml.monitoring.stream_order import Repeats, time_faults

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_ROWS, LEAST_KNOWN = 10, 30  # of a population in the window, and in the reference, to be looked at by itself
# Of traffic that the reference does not tell of, as a release's, which holds no requests that failed.
USUAL_FAILURES = 0.01


class StreamQuality:
    """The reference of a stream, and how it is looked at; see `fit`."""

    def __init__(
        self,
        known: Seen,
        populations: Populations,
        rates: RateProfile | None,
        unit: str | None,
        strange_above: float | None,
        failures: tuple[int, int] | None,
        level: float,
        least_share: float,
        levers: Collection[str],
    ) -> None:
        self._known, self._populations, self._rates = known, populations, rates
        self._unit, self._strange_above = unit, strange_above
        self._failures, self._level, self._least_share = failures, level, least_share
        self._levers = levers
        self._repeats = Repeats(known)
        self._parts: dict[tuple[str, str], tuple[Seen, Repeats]] = {}
        for each in populations.of(known.observations, LEAST_KNOWN):
            part = known.take(each.rows)
            self._parts[each.column, each.value] = part, Repeats(part)

    @classmethod
    def fit(
        cls,
        reference: pa.Table | Observations,
        *,
        by: Sequence[str] = (),
        unit: str | None = None,
        strange_above: float | None = None,
        rows_per_day: float | None = None,
        zone: str = "UTC",
        level: float = 0.01,
        least_share: float = 0.01,
        levers: Collection[str] = (),
    ) -> Self:
        """Args:
            reference: rows as a release's reference, the log, or any other table has them; of a log those that count,
                without the rows of a shadow.
            by: columns of populations, such as the uploader, looked at each by itself too.
            unit: as of `observe`; of observations their own.
            strange_above: the strangeness beyond which a sample is strange; None: the outermost 1 % of the reference.
            rows_per_day: of traffic; None: as in the reference, if that holds times of arrival (`time`).
            zone: in which hours and weekdays are told, such as Europe/Dublin.
            level: chance that anything is told, certain faults aside, of a window that is like the reference.
            least_share: of the window's rows more than expected, below which a finding does not matter.
            levers: columns of numbers that people set, such as what is spent on a channel: that they stay as they are
                is no fault.
        Raises: DataError: the reference is empty, or a column is not there. RecipeError: there is no such zone.
        """
        whole = Seen.of(reference, unit)
        known = whole.take(~whole.failed)
        if not known.count:
            raise DataError("the reference has no rows with an answer, so nothing can be held to it; give more rows")
        rates = None
        if whole.arrival == TIMES[0] or (whole.arrival and rows_per_day is not None):
            rates = RateProfile.fit(whole.moments[whole.arrival], zone, rows_per_day)
        told = isinstance(reference, pa.Table) and ERROR in reference.column_names
        failures = (int(whole.failed.sum()), whole.count) if told else None
        populations = Populations.fit(known.observations, by)
        return cls(known, populations, rates, unit, strange_above, failures, level, least_share, levers)

    def test(
        self,
        window: pa.Table | Observations,
        *,
        now: int | None = None,
        since: int | None = None,
        until: int | None = None,
    ) -> StreamQualityResult:
        """Args:
        window: of the form of the reference.
        now, since, until: int64 microseconds since 1970 UTC: the moment, and the bounds of the window, whose end is
            not in it; None: nobody knows, and what needs them is not asked.
        """
        whole = Seen.of(window, self._unit if isinstance(window, pa.Table) else None)
        found = [*time_faults(self._known, whole, now, since, until)]
        if self._rates is not None:
            arrivals = whole.moments.get(whole.arrival, np.zeros(0, np.int64))
            found += self._rates.faults(arrivals, since, until)
        populations: list[Population] = []
        if whole.count:
            found.append(self._failed(whole))
            seen = whole.take(~whole.failed)
            places = np.flatnonzero(~whole.failed)
            populations = [*self._populations.of(whole.observations, 1)]
            found += [_in(places, fault) for fault in self._of_rows(seen)]
        return judged(found, whole.count, populations, self._level, self._least_share)

    def _of_rows(self, seen: Seen) -> Iterator[Fault]:
        if not seen.count:
            return
        yield from schema_faults(self._known, seen)
        yield from column_faults(self._known, seen, self._strange_above, self._levers)
        yield from self._repeats.faults(seen)
        for each in self._populations.of(seen.observations, LEAST_ROWS):
            if (each.column, each.value) in self._parts:
                known, repeats = self._parts[each.column, each.value]
                part, places = seen.take(each.rows), np.flatnonzero(each.rows)
                for fault in (*column_faults(known, part, self._strange_above, self._levers), *repeats.faults(part)):
                    yield replace(_in(places, fault), population=each.words)

    def _failed(self, seen: Seen) -> Fault:
        weights, now = seen.weights, seen.failed
        if self._failures is not None:
            failed, count = self._failures
            then = np.arange(count) < failed
            return share_fault("failed", "", now, then, weights, np.ones(count))
        many = 1_000_000  # so that the share is as good as known
        p = beyond(int(weights[now].sum() + 1e-9), int(weights.sum() + 1e-9), int(USUAL_FAILURES * many), many)
        rows = np.flatnonzero(now)
        return Fault("failed", "", p, share=float(now.mean()), expected=USUAL_FAILURES, rows=rows)


def _in(places: NDArray[np.intp], fault: Fault) -> Fault:
    """Its rows as those of the whole that `places` were taken from."""
    return replace(fault, rows=places[fault.rows])
