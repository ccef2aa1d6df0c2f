"""Whether a model looks elsewhere than it did: figures of its maps, row by row, of the reference and of a window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

import numpy as np

from totalml.evaluation.shares import holm
from totalml.monitoring.moves import Move, WindowResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

LEAST_ROWS = 10  # below, the formula for the chance is a poor one
TERMS = 100


class AttributionTest:
    """Each column by itself, such as the share on the subject and the entropy of the map.

    Source: two-sample test of Kolmogorov and Smirnov, its chance by Stephens 1970, corrected for the columns (Holm).
    """

    def __init__(self, known: Mapping[str, Numbers]) -> None:
        self._known = known

    @classmethod
    def fit(cls, reference: Mapping[str, Numbers]) -> Self:
        """Args: reference: name -> (N,) numbers; NaN where there is no map."""
        return cls({name: np.sort(_finite(values)) for name, values in reference.items()})

    def test(self, window: Mapping[str, Numbers]) -> WindowResult:
        """Columns that one of both lacks, or has fewer than 10 rows of, are left out, and `too_few` says how many."""
        moves, lacking = [], [0]
        for name, known in self._known.items():
            if name not in window:
                continue
            now = np.sort(_finite(window[name]))
            if (few := LEAST_ROWS - min(len(now), len(known))) > 0:
                lacking.append(few)
                continue
            gap = largest_gap(known, now)
            chance = chance_of_gap(gap, len(known), len(now))
            moves.append(Move(name, "KS", gap, chance, float(np.median(known)), float(np.median(now))))
        chances = holm(np.array([move.p for move in moves]))
        corrected = [
            Move(each.name, each.statistic, each.value, float(p), each.before, each.now)
            for each, p in zip(moves, chances, strict=True)
        ]
        ordered = tuple(sorted(corrected, key=lambda move: move.p))
        return WindowResult(float(chances.min(initial=1.0)), ordered, too_few=0 if moves else max(lacking))


def largest_gap(known: Numbers, now: Numbers) -> float:
    """Between the shares up to any value, 0..1. Args: both sorted, none empty."""
    every = np.concatenate([known, now])
    shares = (np.searchsorted(some, every, side="right") / len(some) for some in (known, now))
    first, second = shares
    return float(np.abs(first - second).max())


def chance_of_gap(gap: float, known: int, now: int) -> float:
    """That samples of one kind are as far apart; with ties less likely than told."""
    root = (known * now / (known + now)) ** 0.5
    scaled = (root + 0.12 + 0.11 / root) * gap
    if scaled < 0.2:
        return 1.0  # where the series does not converge
    k = np.arange(1, TERMS + 1)
    return float(np.clip(2 * ((-1.0) ** (k - 1) * np.exp(-2 * (k * scaled) ** 2)).sum(), 0, 1))


def _finite(values: Numbers) -> Numbers:
    values = np.asarray(values, np.float64)
    return values[np.isfinite(values)]
