"""Draw from a pool so that the probability of each item is known, whichever queues wanted it.

Control is a simple random sample; every other queue draws each of its rows by itself (Poisson sampling), with a
probability proportional to a weight. All draws of one row are independent, so of N rows

    P(i) = 1 - (1 - n_control / N) * product over the other queues q of (1 - pi_q(i)),
    pi_q(i) = min(1, c_q * w_q(i)), with c_q such that they sum to what the queue is to have,

and the sum of y(i) / P(i) over the drawn rows estimates the sum of y over the pool without bias.

Source: Horvitz and Thompson 1952; Poisson sampling: Särndal, Swensson and Wretman 1992, section 3.5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from totalml.identity import drawn_often
from totalml.review.item import CONTROL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

FLOOR = 0.05  # of the mean weight: no weight of a member is less, so that no drawn row counts for too much
ENOUGH = 0.99  # of what is to be drawn; what several queues want is asked once
ROUNDS = 30


@dataclass(frozen=True)
class Drawn:
    """Args:
    rows: (n,) of the pool, in an order that says nothing of the queues.
    queues: (n,) names; of one that several drew control, or else the first of the weights.
    probability: (n,) in (0, 1], with which all queues together draw that row.
    """

    rows: NDArray[np.int64]
    queues: Sequence[str]
    probability: Numbers


def draw(
    name: str, keys: Sequence[bytes], weights: Mapping[str, Numbers], shares: Mapping[str, float], count: int
) -> Drawn:
    """About `count` rows; of a pool that has no more all of them.

    Args:
        name: of this draw: the same one draws the same rows.
        keys: (N,) of the rows, no two of them alike.
        weights: queue -> (N,) at least 0; NaN where a row is none of its queue.
        shares: queue -> its share, control among them; what a queue lacks, the others take, control the last.
    """
    if not keys or count < 1:
        return Drawn(np.zeros(0, np.int64), [], np.zeros(0))
    others = [queue for queue in weights if shares[queue] > 0]
    usual = min(count, len(keys)) * (sum(shares.values()) - shares[CONTROL]) / sum(shares.values())
    chances = drawn_often(f"review draw v1 {name}", keys, len(others) + 2)
    control, each = _probabilities(
        len(keys), [weights[queue] for queue in others], [shares[queue] for queue in others], usual, count
    )
    by_chance = np.argsort(chances[:, 0], kind="stable")[:control]
    is_control = np.zeros(len(keys), bool)
    is_control[by_chance] = True
    wanted = chances[:, 1:-1] < each.T
    whole = count >= len(keys)  # then whoever was not drawn is there too, for a queue that would have had it
    found = np.arange(len(keys)) if whole else np.flatnonzero(is_control | wanted.any(axis=1))
    rows = found[np.argsort(chances[found, -1], kind="stable")]
    members = np.isfinite(np.array([weights[queue] for queue in others])).reshape(-1, len(keys)).T
    named = [int((wanted[row] if wanted[row].any() else members[row]).argmax()) if others else 0 for row in rows]
    names = [CONTROL if is_control[row] else others[queue] for row, queue in zip(rows, named, strict=True)]
    probability = np.ones(len(rows)) if whole else 1 - (1 - control / len(keys)) * (1 - _any(each)[rows])
    return Drawn(rows, names, probability)


def _probabilities(
    size: int, weights: Sequence[Numbers], shares: Sequence[float], usual: float, count: int
) -> tuple[int, NDArray[np.float64]]:
    """How many control has, and (Q, N) with which each other queue draws each row; never by what was drawn.

    Args: usual: that the other queues are to have together.
    """
    count = min(count, size)
    control = max(1, round(count - usual))

    def expected(of: Numbers) -> float:
        return float(control + (1 - control / size) * of.sum())

    each = _proportional(size, weights, shares, usual)
    if not weights or usual <= 0:
        return count, each
    low, high = usual, usual
    while expected(_any(each)) < ENOUGH * count and high < size / min(shares):
        low, high = high, 2 * high
        each = _proportional(size, weights, shares, high)
    for _ in range(ROUNDS if high > usual and expected(_any(each)) > count else 0):
        middle = (low + high) / 2
        each = _proportional(size, weights, shares, middle)
        reached = expected(_any(each))
        if ENOUGH * count <= reached <= count:
            break
        low, high = (middle, high) if reached < count else (low, middle)
    drawn = float(_any(each).sum())
    if expected(_any(each)) < ENOUGH * count:  # the other queues have no more: by chance, then
        control = min(size, round(size * (count - drawn) / (size - drawn)))
    return control, each


def _proportional(size: int, weights: Sequence[Numbers], shares: Sequence[float], total: float) -> NDArray[np.float64]:
    """(Q, N) which sum to the total, as far as the queues have so many rows."""
    members = np.array([np.isfinite(each).sum() for each in weights], float)
    sizes = _shared_out(members, np.array(shares, float), total)
    return np.array([_capped(each, wanted) for each, wanted in zip(weights, sizes, strict=True)]).reshape(-1, size)


def _shared_out(members: Numbers, shares: Numbers, total: float) -> Numbers:
    """By share; what one lacks, the others take."""
    sizes = np.zeros(len(members))
    for _ in members:
        open_ = (sizes < members) & (shares > 0)
        left = min(total, float(members.sum())) - sizes.sum()
        if left <= 0 or not open_.any():
            break
        sizes = np.minimum(members, sizes + np.where(open_, shares, 0) * left / shares[open_].sum())
    return sizes


def _capped(weights: Numbers, wanted: float) -> Numbers:
    """(N,) min(1, c * weight), which sum to what is wanted."""
    found, known = np.zeros(len(weights)), np.isfinite(weights)
    if not known.any() or wanted <= 0:
        return found
    mean = float(weights[known].mean())
    rest = np.where(known, np.maximum(weights, FLOOR * mean) if mean > 0 else 1.0, 0.0)
    sure = np.zeros(len(weights), bool)
    while True:
        left, mass = wanted - sure.sum(), rest[~sure].sum()
        if left <= 0 or mass <= 0:
            break
        found = np.where(sure, 1.0, rest * (left / mass))
        if not (over := ~sure & (found >= 1)).any():
            break
        sure |= over
    return np.where(sure, 1.0, np.minimum(found, 1.0))


def _any(each: NDArray[np.float64]) -> Numbers:
    """(N,) that at least one of the queues draws a row."""
    return 1 - np.prod(1 - each, axis=0)
