"""Figures of a stream that may be looked at after every request: what they say holds at all times at once.

An ordinary interval is right once; looked at until it says what one waits for, it is wrong far more often. These are
right with the stated probability however often they are looked at, and whenever one stops.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)  # losses that are looked for; a mixture, so none has to be known
LEAST, MOST = 1e-4, 1 - 1e-4  # of an estimated share: nothing is taken for impossible


def share_bounds(hits: int, count: int, alpha: float) -> tuple[float, float]:
    """Between which the share lies, at all counts at once with probability 1 - alpha.

    Args: hits: of `count` independent samples of one share.
    Source: Robbins 1970, the method of mixtures, with a uniform prior.
    """
    if not count:
        return 0.0, 1.0
    limit = _log_mixture(hits, count) + math.log(alpha)  # a share is kept while its likelihood is above it

    def kept(share: float) -> bool:
        return _log_likelihood(share, hits, count) >= limit

    middle = min(max(hits / count, LEAST**2), 1 - LEAST**2)
    return (_edge(0.0, middle, kept) if hits else 0.0, _edge(1.0, middle, kept) if hits < count else 1.0)


@dataclass
class ArmsTest:
    """Whether something bad happens more often to one arm, to which requests are given by chance at a known share.

    If it does not, then whether a request went to the arm tells nothing about how it ended, however the rate of bad
    ends moves with the hour or the season. So each request is a fair bet on its arm given its end, and wealth above
    1 / alpha happens with probability alpha at most.

    Args:
        share: of the requests that the arm gets.
    Source: Shafer 2021, testing by betting; a bet on the arm instead of the end, so that a moving rate does no harm.
    """

    share: float
    _logs: list[float] = field(default_factory=lambda: [0.0] * len(STEPS))
    _bad: float = 0.5
    _seen: float = 10.0  # as if ten requests of the other arm had been seen, a twentieth of them bad
    largest: float = 0.0

    def add(self, arm: bool, bad: bool) -> None:
        """One request: whether it went to the arm, and whether it ended badly."""
        rate = min(max(self._bad / self._seen, LEAST), MOST)
        for place, step in enumerate(STEPS):
            worse = min(rate + step, MOST)
            theirs, ours = (worse, rate) if bad else (1 - worse, 1 - rate)
            bet = self.share * theirs / (self.share * theirs + (1 - self.share) * ours)
            self._logs[place] += math.log(bet / self.share if arm else (1 - bet) / (1 - self.share))
        if not arm:
            self._bad += bad
            self._seen += 1
        self.largest = max(self.largest, self.log_wealth)

    @property
    def log_wealth(self) -> float:
        """Of all bets together."""
        return _log_mean(self._logs)

    def worse(self, alpha: float) -> bool:
        """Whether the arm was ever shown to be worse; wrong with probability alpha at most, at all times at once."""
        return self.largest >= -math.log(alpha)


def _log_mean(logs: Sequence[float]) -> float:
    top = max(logs)
    return top + math.log(sum(math.exp(each - top) for each in logs) / len(logs))


def _log_mixture(hits: int, count: int) -> float:
    return math.lgamma(hits + 1) + math.lgamma(count - hits + 1) - math.lgamma(count + 2)


def _log_likelihood(share: float, hits: int, count: int) -> float:
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
