"""How large a share can be after a fixed number of samples, one-sided: what a test of a stream is held against."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

HALVINGS = 50
WIDE = 40  # standard deviations below which a binomial adds nothing that a float64 holds


@lru_cache(maxsize=4096)
def most_share(hits: int, count: int, alpha: float) -> float:
    """The largest share of which so few hits, or fewer, are seen with probability alpha.

    Also the quantile 1 - alpha of Beta(hits + 1, count - hits): what lies between order statistics of `count` samples
    that are `hits` + 1 places apart has that distribution, whatever theirs.
    Source: Clopper and Pearson 1934.
    """
    if hits >= count:
        return 1.0
    places = np.arange(hits, max(-1, hits - math.ceil(WIDE * math.sqrt(hits + 1))), -1)
    first = math.lgamma(count + 1) - math.lgamma(hits + 1) - math.lgamma(count - hits + 1)
    choices = first + np.concatenate([[0.0], np.cumsum(np.log(places[:-1] / (count - places[:-1] + 1)))])

    def log_chance(share: float) -> float:
        chances = choices + places * math.log(share) + (count - places) * math.log1p(-share)
        return float(np.logaddexp.reduce(chances))

    low, high = hits / count, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if middle < 1 and log_chance(middle) > math.log(alpha) else (low, middle)
    return high


def most_mean(values: NDArray[np.float64], alpha: float) -> float:
    """Upper bound, with probability 1 - alpha, of the mean of which (N,) values within 0..1 are independent samples.

    Exact of zeros and ones; of others by Chernoff's bound, which a share of the same mean has too, since their
    exponential moments are no larger. 1 of none.
    Source: Hoeffding 1963, theorem 1.
    """
    count, total = len(values), float(values.sum())
    if not count:
        return 1.0
    if bool(((values == 0) | (values == 1)).all()):
        return most_share(round(total), count, alpha)
    mean, limit = min(total / count, 1.0), -math.log(alpha) / count
    low, high = mean, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if middle < 1 and _divergence(mean, middle) < limit else (low, middle)
    return high


def _divergence(share: float, other: float) -> float:
    """Of Kullback and Leibler, between two coins, in nats."""
    ups = share * math.log(share / other) if share else 0.0
    return ups + ((1 - share) * math.log((1 - share) / (1 - other)) if share < 1 else 0.0)
