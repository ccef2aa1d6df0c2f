"""Bets on where a value falls among those of the reference, fair although the reference is finite and stays the same.

Places among m values of the reference are not uniform once these are given: a p-value that ignores it goes wrong for
good with the reference that one happened to draw, and a stream is long enough to find out. What falls between two order
statistics k places apart has a Beta(k, m + 1 - k) chance, though, so its upper limit is known exactly; each bet is the
likelihood ratio of an alternative against the least favourable of all distributions within such limits. All limits hold
together with the stated probability, of the draw of the reference; if they do, every bet is fair whatever follows.

Source: Bates et al. 2023, Testing for outliers with conformal p-values (the need); Huber and Strassen 1973 (the bets).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Self

import numpy as np

from totalml.monitoring.bounds import most_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

TAILS = (0.002, 0.01, 0.05, 0.15, 0.35)  # of the reference, below and above the places where a value is cut
BINS = 2 * len(TAILS) + 1
MISSING = BINS  # the code of a value that is not there, on which nothing is bet
HIGHER, LOWER, WIDER, NARROWER = WAYS = ("higher", "lower", "wider", "narrower")
# Were the reference normal, the value would be so now.
ALTERNATIVES = (
    *((HIGHER, NormalDist(moved, 1)) for moved in (0.5, 1.0, 2.5)),
    *((LOWER, NormalDist(-moved, 1)) for moved in (0.5, 1.0, 2.5)),
    (WIDER, NormalDist(0, 2.0)),
    (NARROWER, NormalDist(0, 0.4)),
)
CASH = 0.05  # of each bet is held back, so that no single row takes all
LEAST_GROWTH = 0.01  # nats a row that a bet has to win if it is right, or it is not made


@dataclass(frozen=True)
class Cuts:
    """Args:
    values, ties: (BINS - 1,) at most, ascending: a value is above a cut if it is larger, or as large and its tie is.
    chances: of the bins between and beyond them, as the reference has it.
    """

    values: Numbers
    ties: Numbers
    chances: Numbers

    @classmethod
    def fit(cls, values: Numbers, ties: Numbers) -> Self:
        """Args: values, ties: (m,) of the reference, none missing; ties are uniform on 0..1."""
        order = np.lexsort((ties, values))
        ranks, whole = _ranks(len(values)), len(values) + 1
        chosen = order[np.array(ranks, np.intp) - 1]
        return cls(values[chosen], ties[chosen], np.diff([0, *ranks, whole]) / whole)

    def codes(self, values: Numbers, ties: Numbers) -> NDArray[np.uint8]:
        """(N,) how many cuts each lies above; MISSING of NaN."""
        below = np.searchsorted(self.values, values, "left")
        codes = np.where(np.isnan(values), MISSING, below).astype(np.uint8)
        if len(self.values):
            (tied,) = np.nonzero(self.values[np.minimum(below, len(self.values) - 1)] == values)
            same = self.values == values[tied, None]
            codes[tied] += (same & (self.ties < ties[tied, None])).sum(axis=1).astype(np.uint8)
        return codes


@lru_cache(maxsize=256)
def bets(count: int, chance: float) -> Numbers:
    """(MISSING + 1, alternatives) by which each code multiplies what was bet; ones where the reference is too small.

    Args:
        count: m of the reference.
        chance: with which one of the limits does not hold.
    """
    table = np.ones((MISSING + 1, len(ALTERNATIVES)))
    for column, (way, now) in enumerate(ALTERNATIVES):
        order, null, new = least_favourable(count, way, now, chance)
        ratios = _falling(new, null)
        placed = np.concatenate([np.full(len(bins), ratio) for bins, ratio in zip(order, ratios, strict=True)])
        if float((new * np.log(CASH + (1 - CASH) * ratios)).sum()) >= LEAST_GROWTH:
            table[np.concatenate(order), column] = CASH + (1 - CASH) * placed
    table.flags.writeable = False
    return table


def least_favourable(
    count: int, way: str, now: NormalDist, chance: float
) -> tuple[list[NDArray[np.intp]], Numbers, Numbers]:
    """Returns: groups of bins, those that become likelier first; the chance of each if as much as may be lies in the
    first ones; its chance under the alternative.
    """
    ranks = _ranks(count)
    spacings = np.diff([0, *ranks, count + 1])
    edges = [-math.inf, *(NormalDist().inv_cdf(rank / (count + 1)) for rank in ranks), math.inf]
    masses = np.diff([now.cdf(edge) for edge in edges])
    order = _ordered(way, len(spacings))
    places = np.cumsum([spacings[bins].sum() for bins in order])
    limits = [most_share(int(each) - 1, count, chance / (len(WAYS) * BINS)) for each in places[:-1]]
    return order, np.diff([0.0, *limits, 1.0]), np.array([masses[bins].sum() for bins in order])


def least_count(chance: float) -> int:
    """Of the reference, about: with fewer no bet would win."""
    count = 1
    while not useful(count, chance).any():
        count *= 2
    low = count // 2
    while count - low > 1:
        middle = (low + count) // 2
        low, count = (low, middle) if useful(middle, chance).any() else (middle, count)
    return count


def useful(count: int, chance: float) -> NDArray[np.bool_]:
    """(alternatives,) which of them are bet on."""
    return np.asarray((bets(count, chance) != 1).any(axis=0))


def _ranks(count: int) -> list[int]:
    """Of `count` + 1 places between and beyond sorted values, where those are cut; symmetric, from 1."""
    low = sorted({rank for tail in TAILS if 1 <= (rank := round(tail * (count + 1))) < (count + 1) / 2})
    return [*low, *(count + 1 - rank for rank in reversed(low))]


def _ordered(way: str, bins: int) -> list[NDArray[np.intp]]:
    every = [np.array([each]) for each in range(bins)]
    outward = [np.unique([each, bins - 1 - each]) for each in range((bins + 1) // 2)]
    return {LOWER: every, HIGHER: every[::-1], WIDER: outward, NARROWER: outward[::-1]}[way]


def _falling(new: Numbers, null: Numbers) -> Numbers:
    """Their ratio, with neighbours taken together until it nowhere rises; so no null within the limits gains by it."""
    blocks: list[tuple[float, float, int]] = []
    for mass, chance in zip(new.tolist(), null.tolist(), strict=True):
        block = (mass, chance, 1)
        while blocks and blocks[-1][0] * block[1] <= block[0] * blocks[-1][1]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    return np.concatenate([np.full(size, mass / chance) for mass, chance, size in blocks])
