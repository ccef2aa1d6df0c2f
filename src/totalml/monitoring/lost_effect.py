"""Whether an effect is less by half than it was, and since when, of what each period told of it.

What a lever did before is not known for sure: a model may have it a fifth too high from the first day on. So that is
a number with a prior, learnt from the reference and all periods since, and a change is held against it. If there is
none, no bet on one wins in the mean of that prior, so the mean number of periods until an alarm is as promised.

Source: Shiryaev 1963, Roberts 1966, with the likelihood of a normal mean that has a normal prior.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

LOST = 0.5  # of an effect, which is looked for; half as much is found too, later
PRIOR = 0.2  # deviation of what a lever does from what the model says, as a share of it
FARTHEST = 3.0  # deviations; what a period tells beyond counts as if it lay there, as data may be wrong
LATELY = 52  # periods, among which a change began that is looked for: one of before is how things are
MOST_SURE = 2.5  # nats that one period may win a bet, for the same reason
Z = 1.96  # of 95 %


@dataclass(frozen=True)
class Step:
    """Of one period. Args: change: (L,) of each lever's effect, as a share of it. variance: (L,) of that."""

    number: int
    change: Numbers
    variance: Numbers


@dataclass(frozen=True)
class Lost:
    """Args:
    place: of the lever.
    share: of its effect, that it lost; between low and high, 95 %.
    since: the period that it most likely began with.
    """

    place: int
    share: float
    low: float
    high: float
    since: int


@dataclass(frozen=True)
class LostEffects:
    """Args:
    each: (L,) what bets on a change of each lever own.
    steps, known: as of `lost_effects`.
    won: (S, L) logarithm, of the bets that were opened with each step.
    owned: (S,) what all of them owned after each step.
    """

    each: Numbers
    steps: Sequence[Step]
    known: int
    won: Numbers
    owned: Numbers

    @property
    def log_evidence(self) -> float:
        total = float(self.each.sum())
        return math.log(total) if total > 0 else -math.inf

    def surest(self, threshold: float) -> Iterator[Lost]:
        """The lever that shows it most, and others that would do so alone."""
        for place in np.argsort(-self.each, kind="stable"):
            if place == self.each.argmax() or self.each[place] >= threshold:
                yield self._lost(int(place))

    def _lost(self, place: int) -> Lost:
        begins = self.known + int(self.won[self.known :, place].argmax())
        before = _mean(self.steps[:begins], place, PRIOR**-2)
        after = _mean(self.steps[begins:], place, 0.0)
        was = max(1 + before[0], PRIOR)
        share = (before[0] - after[0]) / was
        apart = Z * math.sqrt(before[1] + after[1]) / was
        return Lost(place, share, share - apart, share + apart, self.steps[begins].number)


def lost_effects(steps: Sequence[Step], known: int) -> LostEffects:
    """Args:
    steps: of periods, in their order. known: how many of them no change is looked for in.
    """
    width = len(steps[0].change)
    # Rows are bets: the first on no change, the others on one that begins with each step.
    mean, variance = np.zeros((1 + len(steps), width)), np.full((1 + len(steps), width), PRIOR**2)
    won, owned = np.full((len(steps), width), -np.inf), np.zeros(len(steps))
    for place, step in enumerate(steps):
        spread = variance[0] + step.variance
        far = FARTHEST * np.sqrt(spread)
        change = np.clip(step.change, mean[0] - far - LOST, mean[0] + far)
        opened = np.arange(len(steps)) <= place
        shift = np.where(np.concatenate([[False], opened & (np.arange(len(steps)) >= known)]), LOST, 0.0)[:, None]
        beside, wide = change + shift - mean, variance + step.variance
        likely = -0.5 * (np.log(wide) + beside**2 / wide)
        gain = np.minimum(likely[1:] - likely[0], MOST_SURE)
        if place >= known:
            won[place] = 0.0
            won[known : place + 1] += gain[known : place + 1]
            won[: max(place + 1 - LATELY, 0)] = -np.inf
            owned[place] = np.exp(won).sum() / width
        kept = variance / wide
        mean, variance = mean + kept * beside, kept * step.variance
    return LostEffects(np.exp(won).sum(axis=0) / width, steps, known, won, owned)


def _mean(steps: Sequence[Step], place: int, prior: float) -> tuple[float, float]:
    """And its variance. Args: prior: inverse of the variance of a mean of 0."""
    weights = np.array([1 / each.variance[place] for each in steps])
    total = float(weights.sum()) + prior
    return float(weights @ np.array([each.change[place] for each in steps])) / total, 1 / total
