"""Judge a canary: a release that answers a share of the requests, beside the one that answers the rest.

`failed` as soon as it is shown to be worse in failures, slowness or errors against labels; `passed` as soon as it is
shown to be no more than a margin worse in each of them; until then undecided, and how many more requests would decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from totalml.deployment.sequential import ArmsTest, share_bounds

Outcome = Literal["passed", "failed", "undecided"]
FURTHEST = 2**20  # times as many requests as there were; beyond that nothing is promised


@dataclass(frozen=True)
class Margins:
    """How much worse is as good: of shares.

    Args:
        failures: requests that ended in an error of the service.
        slow: requests slower than nine in ten of the other release.
        errors: answers that a label says are wrong.
    """

    failures: float = 0.01
    slow: float = 0.10
    errors: float = 0.03


@dataclass(frozen=True)
class Judged:
    """Args:
    difference: name -> canary minus the other: share, low, high; at all times at once.
    decided_by: what failed; empty.
    more: further requests after which it would be decided, if all goes on as it did; None: it is decided, or would
        not be by any number.
    """

    outcome: Outcome
    difference: Mapping[str, tuple[float, float, float]]
    decided_by: str
    more: int | None


@dataclass
class _Figure:
    """One kind of bad end: counts of each arm, and the bets on it."""

    test: ArmsTest
    bad: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    seen: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})

    def add(self, arm: bool, bad: bool) -> None:
        self.test.add(arm, bad)
        self.bad[arm] += bad
        self.seen[arm] += 1

    def difference(self, alpha: float, times: int = 1) -> tuple[float, float, float]:
        """As if there had been `times` as many requests."""
        low, high = {}, {}
        for arm in (True, False):
            low[arm], high[arm] = share_bounds(times * self.bad[arm], times * self.seen[arm], alpha / 2)
        rates = {arm: self.bad[arm] / self.seen[arm] if self.seen[arm] else 0.0 for arm in (True, False)}
        return rates[True] - rates[False], low[True] - high[False], high[True] - low[False]


class Canary:
    """Args:
    share: of the requests, given to it by chance.
    alpha: probability with which an equal release is stopped; and with which one beyond a margin passes.
    labelled: whether it must be shown against labels too before it passes.
    """

    def __init__(self, share: float, margins: Margins, alpha: float = 0.05, labelled: bool = False) -> None:
        self._margins, self._alpha, self._labelled = margins, alpha, labelled
        self._figures = {name: _Figure(ArmsTest(share)) for name in ("failures", "slow", "errors")}

    def add(self, canary: bool, failed: bool, slow: bool) -> None:
        """A request that was answered, or not."""
        self._figures["failures"].add(canary, failed)
        self._figures["slow"].add(canary, slow)

    def add_label(self, canary: bool, wrong: bool) -> None:
        self._figures["errors"].add(canary, wrong)

    def judge(self) -> Judged:
        # A share of alpha for each figure, so that all of them together keep it.
        alpha = self._alpha / len(self._figures)
        found = {name: each.difference(alpha) for name, each in self._figures.items()}
        for name, figure in self._figures.items():
            if figure.test.worse(alpha):
                return Judged("failed", found, name, None)
        if self._within(alpha, 1):
            return Judged("passed", found, "", None)
        return Judged("undecided", found, "", self._more(alpha))

    def _within(self, alpha: float, times: int) -> bool:
        return all(
            self._figures[name].difference(alpha, times)[2] <= getattr(self._margins, name) for name in self._asked
        )

    @property
    def _asked(self) -> list[str]:
        return [name for name in self._figures if name != "errors" or self._labelled]

    def _more(self, alpha: float) -> int | None:
        """By doubling, then halving, how many times as many requests as there were."""
        seen = sum(self._figures["failures"].seen.values())
        if not seen:
            return None
        high = 2
        while not self._within(alpha, high):
            high *= 2
            if high > FURTHEST:
                return None
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._within(alpha, middle) else (middle, high)
        return (high - 1) * seen
