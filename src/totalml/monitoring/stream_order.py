"""What is asked of rows one after the other: do they repeat, do their times make sense, did any stay away?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from totalml.evaluation.shares import wilson
from totalml.monitoring.chances import as_long_runs, as_many_repeats
from totalml.monitoring.column_checks import CAUTIOUS_Z, LONGER
from totalml.monitoring.faults import Fault
from totalml.monitoring.observations import NO_TIME
from totalml.monitoring.seen import Seen, row_keys, shared_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]

SECOND_US = 1_000_000
SLACK_S = 300  # that clocks of machines may differ by, and rows of several replicas be out of order
LEAST_BLOCK = 3  # rows that a block has at least


class Repeats:
    """What a reference tells of rows that stand more than once; of each set of columns it is counted once."""

    def __init__(self, known: Seen) -> None:
        self._known = known
        self._counted: dict[tuple[str, ...], _Counted] = {}

    def faults(self, seen: Seen) -> Iterator[Fault]:
        """Rows that stood before in the window, more than chance and the reference would have; and blocks of them."""
        if not seen.count:
            return
        names = shared_columns(self._known, seen)
        if names not in self._counted:
            self._counted[names] = _Counted.of(row_keys(self._known, names)[self._known.order])
        counted, count = self._counted[names], self._known.count
        keys, group, sizes = np.unique(row_keys(seen, names)[seen.order], return_inverse=True, return_counts=True)
        place = np.searchsorted(counted.keys, keys).clip(max=len(counted.keys) - 1)
        shared = counted.keys[place] == keys
        both = np.concatenate([sizes + counted.sizes[place] * shared, np.delete(counted.sizes, place[shared])])
        independent = float(seen.weights.sum() / seen.count)
        p = as_many_repeats(seen.count - len(sizes), both, seen.count, count) ** independent
        share = 1 - len(sizes) / seen.count
        # Of few rows fewer repeat each other than of many, so this is an upper bound of what is expected.
        expected = min(share, 1 - len(counted.sizes) / count)
        previous = _previous(group)
        yield Fault("repeated", "", p, share=share, expected=expected, rows=np.sort(seen.order[previous >= 0]))
        yield self._replayed(previous, counted, seen, independent)

    def _replayed(self, previous: NDArray[np.intp], counted: _Counted, seen: Seen, independent: float) -> Fault:
        start, length, lag = _longest_block(previous)
        if length < LEAST_BLOCK or length <= LONGER * counted.longest:
            return Fault("replayed", "", 1.0)
        _, largest = wilson(counted.sizes.max(keepdims=True), np.array([self._known.count]), CAUTIOUS_Z)
        p = as_long_runs(length, seen.count, float(largest[0]), lags=seen.count) ** independent
        rows = np.sort(seen.order[start : start + length])
        return Fault("replayed", "", p, rows=rows, detail=f"{length} rows as {lag} rows before")


@dataclass(frozen=True)
class _Counted:
    """Args:
    keys, sizes: of each row that there is, ascending, and how many are so.
    longest: rows of the longest block that repeats another one.
    """

    keys: Keys
    sizes: NDArray[np.int64]
    longest: int

    @classmethod
    def of(cls, rows: Keys) -> _Counted:
        keys, group, sizes = np.unique(rows, return_inverse=True, return_counts=True)
        return cls(keys, sizes, _longest_block(_previous(group))[1])


def _previous(group: NDArray[np.intp]) -> NDArray[np.intp]:
    """(N,) the last row before with the same number; -1: there is none."""
    order = np.argsort(group, kind="stable")
    same = group[order[1:]] == group[order[:-1]]
    previous = np.full(len(group), -1, np.intp)
    previous[order[1:][same]] = order[:-1][same]
    return previous


def _longest_block(previous: NDArray[np.intp]) -> tuple[int, int, int]:
    """First row, length and lag of the longest run of rows that repeat others at one distance."""
    lag = np.where(previous >= 0, np.arange(len(previous)) - previous, 0)
    edges = np.flatnonzero(np.append(np.append(True, lag[1:] != lag[:-1]), True)) if len(lag) else np.zeros(1, np.intp)
    lengths = np.diff(edges) * (lag[edges[:-1]] > 0)
    if not len(lengths):
        return 0, 0, 0
    place = int(lengths.argmax())
    return int(edges[place]), int(lengths[place]), int(lag[edges[place]])


def time_faults(known: Seen, seen: Seen, now: int | None, since: int | None, until: int | None) -> Iterator[Fault]:
    """Times that cannot be; certain. That they go backwards is a fault where those of the reference do not.

    Args: now, since, until: int64 microseconds UTC; None: nobody knows. `until` itself is out of the window.
    """
    slack = SLACK_S * SECOND_US
    for name, moments in seen.moments.items():
        there = moments != NO_TIME
        if now is not None:
            yield from _found("future", name, there & (moments > now + slack), moments)
        if name == seen.arrival and not _backwards(known, name, slack).any():
            yield from _found("backwards", name, there & _backwards(seen, name, slack), moments)
        if name == seen.arrival:
            out = np.zeros(seen.count, np.bool_)
            out |= moments < since if since is not None else False
            out |= moments >= until if until is not None else False
            yield from _found("out of window", name, there & out, moments)


def _backwards(seen: Seen, name: str, slack: int) -> NDArray[np.bool_]:
    """(N,) whether a row has a time before that of one which the same clock wrote before it."""
    found = np.zeros(seen.count, np.bool_)
    if name not in seen.moments:
        return found
    clock, number = seen.written
    order = np.lexsort((number, clock))  # stable
    for rows in np.split(order, np.flatnonzero(np.diff(clock[order])) + 1):
        moments = seen.moments[name][rows]
        found[rows] = moments < np.maximum.accumulate(moments) - slack
    return found & (seen.moments[name] != NO_TIME)


def _found(kind: str, name: str, found: NDArray[np.bool_], moments: NDArray[np.int64]) -> Iterator[Fault]:
    rows = np.flatnonzero(found)
    if len(rows):
        detail = f"such as {moment_words(int(moments[rows[0]]))}"
        yield Fault(kind, name, 0.0, True, len(rows) / len(found), 0.0, rows, detail)


def moment_words(moment: int) -> str:
    """Of microseconds since 1970 UTC; of what no calendar holds the number itself."""
    try:
        return datetime.fromtimestamp(moment // SECOND_US, UTC).isoformat(sep=" ")
    except (ValueError, OverflowError, OSError):
        return f"{moment} us"
