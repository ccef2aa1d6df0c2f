"""Whether an effect is less by half than it was, and since when.

What a lever did before is not known for sure: a model may have it a fifth too high from the first day on, or a region.
So a bet says that one effect is less by half from one period on than it was, whatever that is, and wins by what it
foretells better than no change does. If there is none, no bet wins in the mean of what may have been, so the mean
number of periods until an alarm is as promised.

Source: Shiryaev 1963, Roberts 1966, with the likelihood of `Regression`, and Siegmund, Sequential Analysis, 1985.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.monitoring.lever_regression import EFFECT, Regression, Sums
from totalml.monitoring.states import finite, whole_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.lever_chance import Chance

    Numbers = NDArray[np.float64]

LOST = 0.5  # of an effect, which is looked for; half as much is found too, later
LATELY = 52  # periods, among which a change began that is looked for: one of before is how things are
KEPT = 260  # periods, about, that tell how things were
FARTHEST = 3.0  # deviations that chance adds; what is farther off counts as if it lay there, as data may be wrong
MOST_SURE = 2.5  # nats that one period may win a bet, for the same reason
OVERSHOOT = 0.583  # deviations of what a period wins, by which the first beyond a threshold lies above it
MOST_OVERSHOOT = 1.0  # nats as deviation, up to which that holds about
WEIGHED = 12  # periods, over which it is told how much one of them tells
LEAST_CERTAIN = 1e-9  # inverse variance, of a lever that nobody has used since
DIGITS = 5  # of deviations that are kept, so that what was stored says the same
Z = 1.96  # of 95 %


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


class LostEffects:
    """Bets on a change of one of L levers, which R series tell; one period after the other."""

    def __init__(self, chance: Chance, levers: int) -> None:
        self.chance, series = chance, len(chance.deviations)
        self._older = Sums.of(np.zeros((series, 1 + levers)))
        self._numbers: list[int] = []  # of the last periods; no bet begins with those of before
        self._rows = np.zeros((0, series, 1 + levers))  # what each of them told
        self._won = np.zeros((0, levers))  # log of what bets own that began with each
        self._known = -1  # the last period that no bet is to begin with

    def add(self, number: int, rows: Numbers) -> None:
        """Args: rows: (R, 1 + L) new errors of a period, and what of what each lever brought is new; NaN: unknown."""
        if len(self._numbers) == LATELY:
            self._older = (self._older + Sums.of(self._rows[0])) * (1 - 1 / (KEPT - LATELY))
            self._numbers, self._rows, self._won = self._numbers[1:], self._rows[1:], self._won[1:]
        before = self._regression()
        told = _believed(rows, self.chance, before)
        self._numbers = [*self._numbers, number]
        self._rows = np.concatenate([self._rows, told[np.newaxis].round(DIGITS)])
        after = self._regression()
        gone = np.pad(_log_ratios(before.with_errors(), before.with_itself()), ((0, 1), (0, 0)))
        won = _log_ratios(after.with_errors(), after.with_itself()) - gone
        self._won = np.pad(self._won, ((0, 1), (0, 0))) + np.minimum(won, MOST_SURE)

    def restart(self) -> None:
        """Bet on no change in the periods so far."""
        self._known = max(self._numbers, default=-1)

    def threshold(self, average_run: float) -> float:
        """What all bets own once in so many periods in the mean, if nothing changes.

        They are looked at once a period, and then own more than a threshold, not as much; of a lever that tells much in
        one period so much more that the runs were longer than promised.
        """
        certain = self._regression().with_itself()[-WEIGHED:]
        deviation = LOST * np.sqrt(np.maximum(certain[0], 0) / len(certain))
        return average_run * float(np.exp(-OVERSHOOT * np.minimum(deviation, MOST_OVERSHOOT)).mean())

    @property
    def log_evidence(self) -> float:
        """Of what all bets own; -inf: there are none."""
        return float(np.logaddexp.reduce(self._own(self._won)))

    def surest(self, threshold: float) -> list[Lost]:
        """The lever that shows it most, and others that would do so beside it, each with its own."""
        regression = self._regression()
        errors, certain = regression.with_errors(), np.maximum(regression.with_itself(), LEAST_CERTAIN)
        bets = _log_ratios(errors, certain)  # as bets own it would be, were there no most that a period may win
        found: list[tuple[int, int, float]] = []
        while not found or self._own(bets).max() >= math.log(threshold):
            lever = int(self._own(bets).argmax())
            place = int(self._may(bets)[:, lever].argmax())
            times = float(errors[place, lever] / certain[place, lever])
            found.append((place, lever, times))
            errors = errors - times * regression.with_change(place, lever)  # of what is left after it
            bets = _log_ratios(errors, certain)
            bets[:, [each for _, each, _ in found]] = -np.inf
        before = regression.effects - sum(times * regression.gives_way(*where) for *where, times in found)
        return [
            self._lost(place, lever, -times, Z / math.sqrt(certain[place, lever]), 1 + float(before[lever]))
            for place, lever, times in found
        ]

    def state(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "chance": {"deviations": self.chance.deviations.tolist(), "kept": self.chance.kept},
            "older": {name: values.tolist() for name, values in vars(self._older).items()},
            "numbers": self._numbers,
            "rows": self._rows.tolist(),
            "won": self._won.tolist(),
            "known": self._known,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Raises: KeyError, TypeError, ValueError: it is none of such series, or of so many levers."""
        kept, deviations = state["chance"]["kept"], state["chance"]["deviations"]
        if not np.allclose([kept, *deviations], [self.chance.kept, *self.chance.deviations], atol=0.0):
            raise ValueError("a state holds what is counted in other deviations than those of the reference")
        numbers = [whole_number(each) for each in state["numbers"]]
        older = {name: finite(state["older"][name], *values.shape) for name, values in vars(self._older).items()}
        rows, won = (
            finite(state[name], len(numbers), *values.shape[1:])
            for name, values in (("rows", self._rows), ("won", self._won))
        )
        self._known = int(state["known"])
        self._numbers, self._rows, self._won, self._older = numbers, rows, won, Sums(**older)

    def _regression(self) -> Regression:
        return Regression(self.chance, self._older, self._rows)

    def _may(self, bets: Numbers) -> Numbers:
        """Those that may be made; of the others -inf."""
        return np.where(np.array(self._numbers, np.int64)[:, np.newaxis] > self._known, bets, -np.inf)

    def _own(self, bets: Numbers) -> Numbers:
        """(L,) log. Args: bets: (S, L) likewise."""
        return np.asarray(np.logaddexp.reduce(self._may(bets), axis=0, initial=-np.inf) - math.log(bets.shape[1]))

    def _lost(self, place: int, lever: int, less: float, apart: float, was: float) -> Lost:
        was = max(was, EFFECT)
        return Lost(lever, less / was, (less - apart) / was, (less + apart) / was, self._numbers[place])


def _log_ratios(errors: Numbers, certain: Numbers) -> Numbers:
    """(S, L) of a loss to no change. Args: as of `Regression.with_errors`, `Regression.with_itself`."""
    return -LOST * errors - LOST**2 * certain / 2


def _believed(rows: Numbers, chance: Chance, before: Regression) -> Numbers:
    """(R, 1 + L) as `Chance.apart`, with errors that chance and a lost effect explain."""
    known, told = np.isfinite(rows).all(axis=1), chance.apart(rows)
    expected, spread = before.foretold(told[:, 1:])
    lost = LOST * np.abs(told[:, 1:]).max(axis=1)
    beside = told[:, 0] - expected
    beside -= _weighted_median(beside * chance.deviations, known / chance.deviations) / chance.deviations
    beside = np.clip(beside, -FARTHEST * spread - lost, FARTHEST * spread + lost)
    scatter = float((beside[known] ** 2).mean() / (spread**2 + lost**2)[known].mean())
    if scatter > 1 + FARTHEST * math.sqrt(2 / known.sum()):
        beside /= math.sqrt(scatter)
    told[known, 0] = chance.centred((expected + beside)[known], known)
    return told


def _weighted_median(values: Numbers, weights: Numbers) -> float:
    """That no outlier moves."""
    order = np.argsort(values)
    total = weights[order].cumsum()
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
