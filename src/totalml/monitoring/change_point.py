"""Since when: the most likely place of one change in a series, with an interval.

The likelihood of each place, with what was before and after it integrated out, is taken as its chance. So, of changes
that are as likely anywhere, the interval holds 95 in 100, without any approximation for long series.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]

COVERAGE = 0.95
FURTHEST = 5.0  # usual deviations from the median beyond which a value counts no more than there
HUGE = 1e150
USUAL = 0.6745  # of a standard deviation: the median of what is normal is as far from its middle


@dataclass(frozen=True)
class Change:
    """Args:
    at: the first that is of the new kind, most likely.
    low, high: the earliest and the latest place that this may be.
    """

    at: int
    low: int
    high: int


def change_of_numbers(values: ArrayLike, coverage: float = COVERAGE) -> Change | None:
    """Of the mean of (N,) numbers that are about normal, such as the means of days; NaN are passed over.

    Returns: None: fewer than three numbers, or all the same.
    Source: Smith 1975, A Bayesian approach to inference about a change-point; flat on means, 1 / s on deviations.
    """
    series = np.asarray(values, np.float64)
    places = np.flatnonzero(~np.isnan(series))
    known = _tamed(series[places])
    count = len(known)
    if count < 3 or known.min() == known.max():
        return None
    before = np.arange(1, count)
    after = count - before
    sums = np.cumsum(known - known.mean())[:-1]
    whole = float(((known - known.mean()) ** 2).sum())
    # A step that explains all leaves rounding alone.
    left = np.maximum(whole - sums**2 * count / (before * after), 1e-12 * whole)
    logs = -0.5 * np.log(before * after) - 0.5 * max(count - 2, 1) * np.log(left)
    return _placed(_likeliest(logs, coverage), places[1:])


def change_of_shares(hits: ArrayLike, counts: ArrayLike | None = None, coverage: float = COVERAGE) -> Change | None:
    """Of a share: (N,) hits of `counts` samples each, of one each if None; or sums of numbers within 0..1.

    Returns: None: fewer than two samples.
    Source: Robbins 1970, uniform on the share before and after.
    """
    series = np.asarray(hits, np.float64)
    samples = np.ones(len(series)) if counts is None else np.asarray(counts, np.float64)
    places = np.flatnonzero(~np.isnan(series) & (samples > 0))
    if len(places) < 2:
        return None
    some, several = np.cumsum(series[places]), np.cumsum(samples[places])
    before = _log_mixture(some[:-1], several[:-1])
    logs = before + _log_mixture(some[-1] - some[:-1], several[-1] - several[:-1])
    return _placed(_likeliest(logs, coverage), places[1:])


def change_from(chances: Numbers, counts: Numbers, coverage: float = COVERAGE) -> Change | None:
    """Of bins whose chances before are known.

    Args:
        chances: (K,) above 0, one in sum.
        counts: (N, K) how often each row fell into each, once in sum.
    Returns: None: there is no row. Otherwise the change may be at the first.
    Source: Jeffreys 1946, Dirichlet with halves on the chances after.
    """
    if not len(counts):
        return None
    after = np.cumsum(counts[::-1], axis=0)[::-1]
    before = np.concatenate([[0.0], np.cumsum(counts @ np.log(chances))[:-1]])
    whole = _log_gamma(after.sum(axis=1) + 0.5 * len(chances))
    return _likeliest(before + _log_gamma(after.ravel() + 0.5).reshape(after.shape).sum(axis=1) - whole, coverage)


def _likeliest(logs: Numbers, coverage: float) -> Change:
    """The shortest set of places that holds `coverage`, and all between them."""
    chances = np.exp(logs - logs.max())
    order = np.argsort(-chances, kind="stable")
    held = np.cumsum(chances[order])
    kept = order[: int(np.searchsorted(held, coverage * held[-1])) + 1]
    return Change(int(order[0]), int(kept.min()), int(kept.max()))


def _placed(change: Change, places: NDArray[np.intp]) -> Change:
    return Change(*(int(places[each]) for each in (change.at, change.low, change.high)))


def _tamed(values: Numbers) -> Numbers:
    """So that one wild day, or an infinite one, does not say where the change was."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.sign(values)
    values, finite = np.clip(values, -HUGE, HUGE), np.clip(finite, -HUGE, HUGE)
    middle = float(np.median(finite))
    spread = float(np.median(np.abs(finite - middle))) / USUAL or float(np.abs(finite - middle).max()) or 1.0
    return np.clip(values - middle, -FURTHEST * spread, FURTHEST * spread) / spread


def _log_mixture(hits: Numbers, counts: Numbers) -> Numbers:
    misses: Numbers = np.maximum(counts - hits, 0.0)
    return _log_gamma(hits + 1) + _log_gamma(misses + 1) - _log_gamma(counts + 2)


def _log_gamma(values: Numbers) -> Numbers:
    return np.array([math.lgamma(each) for each in values.tolist()])
