"""How likely a window like the reference shows as much, in closed form, so that small chances are told without draws.

Each asks the same: of all samples, the reference's and the window's, any are as likely to have come as the window.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Counts = NDArray[np.int64]

# Of the bound of Chernoff; any is valid, so a coarse grid only makes the chance a little larger.
TILTS = np.geomspace(1e-3, 40, 80)
FAR = 12  # deviations beyond which terms no longer matter


def beyond(count: int, rows: int, kept_out: int, known: int) -> float:
    """The chance that `count` or more of `rows` lie beyond a bound that `kept_out` of the `known` are not within.

    Exact: where new values fall among the ordered known ones is an urn of Polya's, so they are beta-binomial
    (`kept_out`, `known` + 1 - `kept_out`). With ties, where being on the bound is not beyond it, at most that.

    Args: kept_out: the place of the bound among the known, 1 for the outermost; at most `known`.
    """
    a, b = kept_out, known + 1 - kept_out
    mean = rows * a / (a + b)
    if count <= mean:
        return 1.0
    deviation = (mean * b / (a + b) * (a + b + rows) / (a + b + 1)) ** 0.5
    x = np.arange(count, min(rows, count + int(FAR * deviation) + 40) + 1)
    logs = _log_factorials(rows + known + 1)
    terms = logs[rows] - logs[x] - logs[rows - x] + logs[x + a - 1] + logs[rows - x + b - 1] - logs[rows + a + b - 1]
    return min(1.0, float(np.exp(terms + logs[a + b - 1] - logs[a - 1] - logs[b - 1]).sum()))


def as_many_repeats(repeats: int, sizes: Counts, rows: int, known: int) -> float:
    """At most the chance that so many rows of the window are equal to another one of it that stands before them.

    Args:
        sizes: of each group of equal rows, of the reference and the window together.
        rows, known: of the window, and of the reference.
    Source: counts of the groups are negatively associated (Joag-Dev and Proschan 1983), and each is below a binomial in
        convex order (Hoeffding 1963), so the bound of Chernoff holds as if they were independent binomials.
    """
    share = rows / (rows + known)
    size, groups = np.unique(sizes[sizes > 1], return_counts=True)

    def log_mean(tilt: Numbers) -> Numbers:
        none = size * np.log1p(-share) + np.log(-np.expm1(-tilt))[:, None]
        some = size * np.log1p(share * np.expm1(tilt))[:, None] - tilt[:, None]
        return np.logaddexp(none, some) @ groups

    return _chernoff(repeats, log_mean)


def as_many_unseen(unseen: int, sizes: Counts, rows: int, known: int) -> float:
    """At most the chance that so many rows of the window have a value that none of the reference has.

    Args: as of `as_many_repeats`; sizes: of each value, of both together.
    """
    share = rows / (rows + known)
    size, groups = np.unique(sizes, return_counts=True)
    log_all = size * np.log(share)

    def log_mean(tilt: Numbers) -> Numbers:
        weight = tilt[:, None] * size
        return np.logaddexp(np.log1p(-np.exp(log_all).clip(max=1 - 1e-16)), weight + log_all) @ groups

    return _chernoff(unseen, log_mean)


def as_long_runs(length: int, rows: int, largest_share: float, lags: int = 1) -> float:
    """At most the chance that somewhere among `rows` so many one after the other equal what stood `lag` rows before.

    By the union bound: whatever the lag, each match has at most the share of the commonest value.

    Args: length: matches; lags: how many were looked at.
    """
    return min(1.0, rows * lags * largest_share**length)


def as_many_arrivals(count: Numbers, expected: Numbers) -> Numbers:
    """At most the chance of so many or more where they arrive by themselves (Poisson); 1 where they are no more."""
    count, expected = np.maximum(count, 1e-300), np.maximum(expected, 1e-300)
    exponent = np.where(count > expected, count - expected - count * np.log(count / expected), 0.0)
    return np.exp(exponent)


def _chernoff(found: int, log_mean: Callable[[Numbers], Numbers]) -> float:
    if found <= 0:
        return 1.0
    return float(np.exp(min(0.0, (log_mean(TILTS) - TILTS * found).min())))


def _log_factorials(largest: int) -> Numbers:
    return _log_factorials_of(1 << max(10, int(largest).bit_length()))


@lru_cache(maxsize=4)
def _log_factorials_of(count: int) -> Numbers:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count)))])
