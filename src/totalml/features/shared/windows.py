"""A stretch of sorted rows for each row, and what their values come to.

Each result is computed from the values of its own stretch alone, not as a difference of running totals: so what other
rows hold does not move its last bit, and a service that knows fewer rows comes to the same one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Aggregate = Literal["sum", "mean", "min", "max", "count"]

MOST_PAIRS = 1 << 22  # of a row and one in its stretch, held at once


class Windows:
    """Args:
    begin, end: (N,) the stretch of each place of a past, `end` excluded.
    time, known: (N,) by place, as of a past.
    """

    def __init__(
        self,
        begin: NDArray[np.int64],
        end: NDArray[np.int64],
        time: NDArray[np.int64],
        known: NDArray[np.int64] | None,
    ) -> None:
        self._begin, self._end, self._time, self._known = begin, np.maximum(begin, end), time, known

    def latest(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) the value of the latest row of each stretch; NaN where there is none, or it is missing there.

        Args: values: (N,) by place.
        """
        found = np.full(len(values), np.nan)
        for rows, begin, end, held in self._parts(values):
            there = end > begin
            found[rows[there]] = held[end[there] - 1]
        return found

    def aggregates(
        self, values: NDArray[np.float64], wanted: tuple[Aggregate, ...], least: int
    ) -> dict[Aggregate, NDArray[np.float64]]:
        """(N,) each, over the values that are not missing.

        Args:
            values: (N,) by place.
            least: with fewer values the result is missing, but for the count.
        """
        made = {name: np.full(len(values), np.nan) for name in wanted}
        for rows, begin, end, held in self._parts(values):
            counts = _counts(~np.isnan(held), begin, end)
            for name in wanted:
                if name == "count":
                    made[name][rows] = counts
                    continue
                result = _reduced(name, held, begin, end)
                with np.errstate(invalid="ignore", divide="ignore"):
                    result = result / counts if name == "mean" else result
                made[name][rows] = np.where(counts >= max(least, 1), result, np.nan)
        return made

    def _parts(
        self, values: NDArray[np.float64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
        """Places, their stretches, and the values that these index."""
        if self._known is None:
            yield np.arange(len(values)), self._begin, self._end, values
            return
        ends = np.cumsum(self._end - self._begin)
        start = 0
        while start < len(values):
            done = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, done + MOST_PAIRS, "right")))
            yield self._as_known(np.arange(start, stop), values, self._known)
            start = stop

    def _as_known(
        self, rows: NDArray[np.int64], values: NDArray[np.float64], known: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Of each time in a stretch what was known of it last when the row itself was known."""
        lengths = self._end[rows] - self._begin[rows]
        owner = np.repeat(rows, lengths)
        offset = np.repeat(np.cumsum(lengths) - lengths, lengths)
        pair = np.arange(len(owner)) - offset + self._begin[owner]
        kept = known[pair] <= known[owner]
        owner, pair = owner[kept], pair[kept]
        superseded = (np.diff(owner) == 0) & (np.diff(self._time[pair]) == 0)
        kept = np.append(~superseded, True)[: len(owner)]
        owner, pair = owner[kept], pair[kept]
        return rows, np.searchsorted(owner, rows, "left"), np.searchsorted(owner, rows, "right"), values[pair]


def _counts(there: NDArray[np.bool_], begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.float64]:
    running = np.concatenate([[0], np.cumsum(there)])
    return (running[end] - running[begin]).astype(np.float64)


def _reduced(
    name: Aggregate, values: NDArray[np.float64], begin: NDArray[np.int64], end: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Of the values that are not missing; where there are none the result means nothing."""
    pairs = np.stack([begin, end], axis=1).ravel()
    if name in ("min", "max"):
        least_or_greatest = np.fmin if name == "min" else np.fmax
        return least_or_greatest.reduceat(np.append(values, np.nan), pairs)[::2]
    return np.add.reduceat(np.append(np.where(np.isnan(values), 0.0, values), 0.0), pairs)[::2]
