"""What a drill asks of whatever claims to notice drift, and three that notice nothing.

A detector gives evidence for each day rather than alarms, so that the drill can set every threshold by the same rule:
all of them alarm equally often where nothing happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.drill.history import History

    Evidence = NDArray[np.float64]

SILENT = -np.inf  # on a day on which nothing is looked at
NO_CAUSE = "drift"  # the verdict of what names no cause


class Detector(Protocol):
    @property
    def name(self) -> str: ...

    def evidence(self, history: History) -> Evidence:
        """(days,) at the end of each day, finite or `SILENT`; the more, the surer that something happens.

        Of what was known by then: samples of that day and before, truths told on that day or before.
        """

    def verdict(self, history: History, day: int) -> str:
        """What it calls that which it alarmed for at the end of this day: a truth of the recipe, `unknown`, `drift`."""


class NamesNoCause:
    def verdict(self, history: History, day: int) -> str:
        return NO_CAUSE


@dataclass(frozen=True)
class Always(NamesNoCause):
    """Surely something, every day."""

    name: str = "always"

    def evidence(self, history: History) -> Evidence:
        return np.ones(history.days)


@dataclass(frozen=True)
class Never(NamesNoCause):
    name: str = "never"

    def evidence(self, history: History) -> Evidence:
        return np.full(history.days, SILENT)


@dataclass(frozen=True)
class EveryKth(NamesNoCause):
    """Every k-th day, whatever comes."""

    k: int = 10

    @property
    def name(self) -> str:
        return f"every {self.k}th day"

    def evidence(self, history: History) -> Evidence:
        return np.where(np.arange(1, history.days + 1) % self.k == 0, 1.0, SILENT)


@dataclass(frozen=True)
class AtRandom(NamesNoCause):
    """A number by chance each day; alone among the dummies it alarms as often as it is allowed to."""

    name: str = "at random"

    def evidence(self, history: History) -> Evidence:
        times = history.observations.times
        seed = [history.observations.count, 0 if times is None or not len(times) else int(times[-1]), *history.drawn_as]
        return np.random.default_rng(seed).random(history.days)


DUMMIES: tuple[Detector, ...] = (Always(), Never(), EveryKth(), AtRandom())


def windows(history: History, days: int) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """The last day of each window of so many days, and the rows that came in it; the days of a rest are left out."""
    for end in range(days, history.days + 1, days):
        first, last = np.searchsorted(history.day, [end - days, end])
        yield end - 1, np.arange(first, last)
