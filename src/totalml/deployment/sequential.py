"""Figures of a stream that may be looked at after every request: what they say holds at all times at once.

An ordinary interval is right once; looked at until it says what one waits for, it is wrong far more often. These are
right with the stated probability however often they are looked at, and whenever one stops.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Shares = NDArray[np.bool_ | np.float64]

STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)  # losses that are looked for; a mixture, so none has to be known
LEAST, MOST = 1e-4, 1 - 1e-4  # of an estimated share: nothing is taken for impossible
HALVINGS = 5  # after which a number of requests is known to a thirtieth
FURTHEST = 2**20  # times as many requests as there were; beyond that nothing is promised


def share_bounds(hits: float, count: float, alpha: float) -> tuple[float, float]:
    """Between which the share lies, at all counts at once with probability 1 - alpha.

    Args: hits: of `count` independent samples of one share; or the sum of `count` numbers within 0..1, for their mean.
    Source: Robbins 1970, the method of mixtures, with a uniform prior. A number within 0..1 wins no more in the mean
    than a hit of the same share would, because the wealth is convex in it.
    """
    if not count:
        return 0.0, 1.0
    limit = _log_mixture(hits, count) + math.log(alpha)  # a share is kept while its likelihood is above it

    def kept(share: float) -> bool:
        return _log_likelihood(share, hits, count) >= limit

    middle = min(max(hits / count, LEAST**2), 1 - LEAST**2)
    return (_edge(0.0, middle, kept) if hits else 0.0, _edge(1.0, middle, kept) if hits < count else 1.0)


def difference_bounds(ups: float, downs: float, count: float, alpha: float) -> tuple[float, float]:
    """Between which the mean of differences lies, at all counts at once with probability 1 - alpha.

    Args:
        ups, downs: sums of what was above and below 0, each as a positive number, of `count` differences within -1..1.
    """
    (up_low, up_high), (down_low, down_high) = (share_bounds(each, count, alpha / 2) for each in (ups, downs))
    return up_low - down_high, up_high - down_low


def log_wealth(arm: Flags, bad: Shares, share: float) -> NDArray[np.float64]:
    """What bets on something bad happening more often to one arm have won, as a logarithm, after each request.

    If it does not, then whether a request went to the arm tells nothing about how it ended, however the rate of bad
    ends moves with the hour or the season. So each request is a fair bet on its arm given its end, and wealth that ever
    reaches 1 / alpha happens with probability alpha at most.

    Args:
        arm: (N,) whether each request was given to the arm, by chance.
        bad: (N,) whether it ended badly, or within 0..1 how far.
        share: of the requests that the arm gets.
    Source: Shafer 2021, testing by betting; a bet on the arm instead of the end, so that a moving rate does no harm.
    """
    import numpy as np

    arm, bad = np.asarray(arm, np.bool_), np.asarray(bad, np.float64)
    # Of the other arm before each request; as if ten of them had been seen, a twentieth of them bad.
    rate = np.clip((0.5 + _before(bad * ~arm)) / (10.0 + _before(~arm)), LEAST, MOST)
    worse = np.minimum(rate + np.array(STEPS)[:, None], MOST)
    ours, theirs = (each**bad * (1 - each) ** (1 - bad) for each in (rate, worse))
    bet = share * theirs / (share * theirs + (1 - share) * ours)
    won = np.cumsum(np.log(np.where(arm, bet / share, (1 - bet) / (1 - share))), axis=1)
    return np.logaddexp.reduce(won, axis=0) - math.log(len(STEPS))


def shown_worse(arm: Flags, bad: Shares, share: float, alpha: float) -> bool:
    """Whether the arm was ever shown to be worse; wrong with probability alpha at most, at all times at once."""
    return bool(log_wealth(arm, bad, share).max(initial=0.0) >= -math.log(alpha))


def more_until(decided: Callable[[float], bool], seen: int) -> int | None:
    """About how many more requests would decide, if they end as those did; by doubling, then halving.

    Args:
        decided: by this many times the requests that were seen.
    Returns: None: no number would, or none was seen.
    """
    if not seen:
        return None
    low, high = 1.0, 2.0
    while not decided(high):
        low, high = high, 2 * high
        if high > FURTHEST:
            return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return math.ceil((high - 1) * seen)


def _before(values: Shares) -> NDArray[np.float64]:
    """The sum of those before each."""
    sums: NDArray[np.float64] = values.cumsum() - values
    return sums


def _log_mixture(hits: float, count: float) -> float:
    return math.lgamma(hits + 1) + math.lgamma(count - hits + 1) - math.lgamma(count + 2)


def _log_likelihood(share: float, hits: float, count: float) -> float:
    if (share <= 0 and hits) or (share >= 1 and hits < count):
        return -math.inf
    won = hits * math.log(share) if hits else 0.0
    return won + ((count - hits) * math.log1p(-share) if hits < count else 0.0)


def _edge(out: float, kept_at: float, kept: Callable[[float], bool]) -> float:
    """Where shares begin to be kept between one that is not and one that is."""
    inside = kept_at
    for _ in range(50):
        middle = (out + inside) / 2
        if kept(middle):
            inside = middle
        else:
            out = middle
    return out
