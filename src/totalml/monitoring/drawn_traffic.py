"""Traffic of which it is known that nothing happened, drawn from the reference itself, or that something was planted.

The reference is split anew for each history, by whole units where samples come together: one part is what a monitor is
fitted on, of the other no row comes twice. So both are exchangeable, and whatever alarms alarms falsely.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from totalml.monitoring.local_time import HOUR_US, hours_of_week
from totalml.monitoring.observations import TIMES
from totalml.monitoring.rates import RateProfile
from totalml.monitoring.seen import Seen
from totalml.monitoring.traffic import KEYS, LOSS
from totalml.prediction_log.columns import COLUMNS
from totalml.release.log_rows import ATTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Rows = NDArray[np.intp]

HOURS_A_WEEK = 168
MONDAY_US = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp()) * 1_000_000


@dataclass(frozen=True)
class DrawnTraffic:
    """As `Traffic`; each label comes with the answer.

    Args: table: of the form of the log, ascending by `time`, with `loss`, null where no label comes.
    """

    table: pa.Table
    late: int = 0

    def rows(self, since: datetime, until: datetime, most: int | None = None) -> pa.Table:
        return self._between(since, until).drop_columns(LOSS)

    def forget(self, before: datetime) -> None:
        """It is drawn, and stays."""

    def labelled(self, since: datetime, until: datetime) -> pa.Table:
        rows = self._between(since, until)
        rows = rows.filter(rows[LOSS].is_valid())
        return rows.append_column("labelled", rows["time"])

    def first(self) -> datetime | None:
        return self.table["time"][0].as_py() if len(self.table) else None

    def resumes(self, since: datetime) -> datetime | None:
        later = self.table.filter(pc.greater_equal(self.table["time"], pa.scalar(since)))
        return later["time"][0].as_py() if len(later) else None

    def _between(self, since: datetime, until: datetime) -> pa.Table:
        times = self.table["time"]
        return self.table.filter(pc.and_(pc.greater_equal(times, pa.scalar(since)), pc.less(times, pa.scalar(until))))


def split_off(
    count: int, units: NDArray[np.int64] | None, wanted: int, random: np.random.Generator
) -> tuple[Rows, Rows]:
    """The rows that are left, ascending, and at least as many as wanted, by chance, unit after unit.

    Args: units: (N,) of equal values come together; None: each row by itself.
    """
    if units is None:
        order = random.permutation(count)
        return np.sort(order[wanted:]), order[:wanted]
    _, unit, sizes = np.unique(units, return_inverse=True, return_counts=True)
    shuffled = random.permutation(len(sizes))
    place = np.argsort(shuffled)[unit]
    taken = int(np.searchsorted(np.cumsum(sizes[shuffled]), wanted)) + 1
    order = np.lexsort((random.random(count), place))
    drawn = order[place[order] < taken]
    return np.flatnonzero(place >= taken), drawn


def profile_of(reference: pa.Table, zone: str, rows_per_day: float) -> RateProfile:
    """At which hours of a week how many rows come; at all alike where the reference does not tell."""
    seen = Seen.of(reference.select([name for name in TIMES if name in reference.column_names]))
    found = RateProfile.fit(seen.moments[seen.arrival], zone, rows_per_day) if seen.arrival else None
    if found is not None:
        return found
    return RateProfile(np.full(HOURS_A_WEEK, rows_per_day / 24), np.zeros(HOURS_A_WEEK), 1.0, zone)


def arrivals(profile: RateProfile, since: int, hours: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Microseconds, ascending: each hour a Poisson number, mixed by a gamma as far as the profile is dispersed."""
    starts = since + np.arange(hours) * HOUR_US
    rates = profile.rates[hours_of_week(starts, profile.zone)]
    if (more := profile.dispersion - 1) > 0:
        rates = random.gamma(rates / more, more)
    counts = random.poisson(rates)
    return np.sort(np.repeat(starts, counts) + random.integers(0, HOUR_US, counts.sum()))


def as_logged(
    rows: pa.Table, losses: NDArray[np.float64], times: NDArray[np.int64], columns: Sequence[str]
) -> pa.Table:
    """Args: rows, losses: (N,) of the reference. times: (N,) at which they come. columns: that a log has."""
    count = len(rows)
    ids = pa.array([str(number) for number in range(count)])
    given = {"request_id": ids, "id": ids, "input": ids, "sample": pa.array(np.zeros(count, np.int32))}
    given["time"] = pa.array(times).cast(pa.timestamp("us", "UTC"))
    nothing = {name: pa.nulls(count, COLUMNS[name]) for name in KEYS if name not in given}
    shared = {name: rows[name] for name in columns if name in rows.column_names}
    return pa.table({**given, **nothing, **shared, LOSS: pa.array(losses, from_pandas=True)})


def with_maps_of(rows: pa.Table, share: float, random: np.random.Generator) -> pa.Table:
    """Of that share of them, by chance, it stays known what the model looked at."""
    unasked = pa.array(random.random(len(rows)) >= share)
    for place, name in enumerate(rows.column_names):
        if name.startswith(ATTRIBUTION):
            rows = rows.set_column(place, name, pc.if_else(unasked, None, rows[name]))
    return rows
