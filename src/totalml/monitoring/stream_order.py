"""What is asked of rows one after the other: do they repeat, do their times make sense, did any stay away?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from totalml.evaluation.shares import wilson
from totalml.monitoring.chances import as_long_runs, as_many_repeats
from totalml.monitoring.column_checks import CAUTIOUS_Z, LONGER
from totalml.monitoring.faults import Fault
from totalml.monitoring.seen import UNKNOWN, Seen, row_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]

SECOND_US = 1_000_000
SLACK_S = 300  # that clocks of machines may differ by, and rows of several replicas be out of order
LEAST_BLOCK = 3  # rows that a block has at least


def repeat_faults(known: Seen, seen: Seen) -> Iterator[Fault]:
    """Rows that stood before in the window, more than chance and the reference would have; and blocks of them."""
    before, after = row_keys(known, seen)
    if not known.count or not seen.count:
        return
    after = after[seen.order]
    independent = float(seen.weights.sum() / seen.count)
    _, group, sizes = np.unique(after, return_inverse=True, return_counts=True)
    sizes_known = np.unique(before, return_counts=True)
    place = np.searchsorted(sizes_known[0], values := np.unique(after))
    place = np.minimum(place, len(sizes_known[0]) - 1)
    shared = np.where(sizes_known[0][place] == values, sizes_known[1][place], 0)
    alone = np.delete(sizes_known[1], place[shared > 0])
    repeats = seen.count - len(sizes)
    p = as_many_repeats(repeats, np.concatenate([sizes + shared, alone]), seen.count, known.count)
    previous = _previous(group)
    rows = np.sort(seen.order[previous >= 0])
    expected = 1 - len(sizes_known[0]) / known.count
    # Of few rows fewer repeat each other than of many, so the reference's share is an upper bound of what is expected.
    share = repeats / seen.count
    yield Fault("repeated", "", p**independent, share=share, expected=min(expected, share), rows=rows)
    yield _replayed(previous, before[known.order], seen, independent)


def _replayed(previous: NDArray[np.intp], before: Keys, seen: Seen, independent: float) -> Fault:
    start, length, lag = _longest_block(previous)
    _, group, sizes = np.unique(before, return_inverse=True, return_counts=True)
    longest = _longest_block(_previous(group))[1]
    if length < LEAST_BLOCK or length <= LONGER * longest:
        return Fault("replayed", "", 1.0)
    _, largest = wilson(sizes.max(keepdims=True), np.array([len(before)]), CAUTIOUS_Z)
    p = as_long_runs(length, seen.count, float(largest[0]), lags=seen.count)
    rows = np.sort(seen.order[start : start + length])
    return Fault("replayed", "", p**independent, rows=rows, detail=f"{length} rows as {lag} rows before")


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
        there = moments != UNKNOWN
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
    return found & (seen.moments[name] != UNKNOWN)


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
