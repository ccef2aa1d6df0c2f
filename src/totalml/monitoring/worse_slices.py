"""In which slices the model errs more than it did when it was validated, said of many slices at once, at any time.

Source: Wang and Ramdas 2022, False discovery rate control with e-values; however the slices overlap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.monitoring.loss_bets import ODDS, loss_bets
from totalml.monitoring.shiryaev_roberts import ShiryaevRoberts, one_in_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.erring import Erring

    Numbers = NDArray[np.float64]

MOST = 1e100  # that a bet may own


@dataclass(frozen=True)
class WorseSlice:
    """Args:
    bound: of its loss, from validation.
    evidence: an e-value: if its loss were within the bound, one in the mean.
    labels: that it has had.
    erring: how often it errs, and since when; None: none of the last labels is of it.
    """

    name: str
    bound: float
    evidence: float
    labels: int
    erring: Erring | None = None


class SliceLosses:
    """Args:
    bound: of all, for slices that validation did not know.
    bounds: name -> upper bound of its loss.
    """

    def __init__(self, bound: float, bounds: Mapping[str, float], most_weight: float) -> None:
        self.bound, self.bounds, self._most_weight = bound, dict(bounds), most_weight
        self.restart()

    def restart(self) -> None:
        self._bets = {name: _bets() for name in self.bounds}

    def add(self, losses: Numbers, weights: Numbers, masks: Mapping[str, NDArray[np.bool_]]) -> None:
        for name, mask in masks.items():
            bets = loss_bets(losses[mask], weights[mask], self._bound(name), self._most_weight)
            self._bets.setdefault(name, _bets()).add(bets)

    def worse(self, level: float) -> tuple[WorseSlice, ...]:
        """By the procedure of Benjamini and Hochberg for e-values."""
        every = [
            WorseSlice(name, self._bound(name), _evidence(bets), bets.rows) for name, bets in sorted(self._bets.items())
        ]
        every.sort(key=lambda each: -each.evidence)
        named = [n for n, each in enumerate(every, 1) if each.evidence * n * level >= len(every)]
        return tuple(every[: max(named, default=0)])

    def state(self) -> dict[str, Any]:
        return {name: bets.state() for name, bets in self._bets.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._bets = {name: _bets() for name in state}
        for name, bets in self._bets.items():
            bets.restore(state[name])

    def _bound(self, name: str) -> float:
        return self.bounds.get(name, self.bound)


def _bets() -> ShiryaevRoberts:
    return ShiryaevRoberts(np.full(len(ODDS), 1 / len(ODDS)), MOST, one_in_all)


def _evidence(bets: ShiryaevRoberts) -> float:
    """With what the bets have that are still to be opened."""
    return float(bets.each.sum()) + 1 / (bets.rows + 1)
