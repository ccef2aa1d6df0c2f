"""How often the model errs in a part of what has labels, and since when, told by the last labels that came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.monitoring.change_point import change_from
from totalml.monitoring.recent import Recent, Since

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

LEAST = 1e-3  # of a loss before a change: validation that saw none does not make it impossible
MOST_PARTS = 64  # of which one number holds to which a label belongs; of those beyond nothing is told


@dataclass(frozen=True)
class Erring:
    """Args:
    name: of an answer or a slice; empty: of all.
    known: loss in validation.
    now: weighted mean loss since then.
    since: when it began to be more.
    """

    name: str
    known: float
    now: float
    since: Since


class LastLosses:
    """Args: most_weight: that a label has."""

    def __init__(self, most_weight: float) -> None:
        self._most_weight = most_weight
        self._recent = Recent(losses=("float64", ()), weights=("float64", ()), parts=("uint64", ()))
        self._parts: list[str] = []

    def add(
        self,
        rows: NDArray[np.int64],
        times: NDArray[np.int64] | None,
        losses: Numbers,
        weights: Numbers,
        parts: Mapping[str, NDArray[np.bool_]],
    ) -> None:
        """Args: parts: each with which of these labels belong to it."""
        self._parts += [name for name in parts if name not in self._parts]
        belongs = np.zeros(len(losses), np.uint64)
        for name in self._parts[:MOST_PARTS]:
            if name in parts:
                belongs |= parts[name].astype(np.uint64) << np.uint64(self._parts.index(name))
        self._recent.add(rows, times, losses=losses, weights=weights, parts=belongs)

    def erring(self, name: str, known: float, part: str | None = None) -> Erring | None:
        """Args:
        name: that it is told by. known: loss in validation.
        part: one of those of `add`; None: all labels.
        Returns: None: none of the last labels is of it.
        """
        of_part = np.ones(len(self._recent["losses"]), np.bool_)
        if part is not None:
            if part not in self._parts[:MOST_PARTS]:
                return None
            of_part = (self._recent["parts"] >> np.uint64(self._parts.index(part))) & np.uint64(1) == 1
        (among,) = np.nonzero(of_part)
        losses, weights = self._recent["losses"][among], self._recent["weights"][among]
        hits = losses * weights / self._most_weight
        share = min(max(known / self._most_weight, LEAST), 1 - LEAST)
        change = change_from(np.array([share, 1 - share]), np.stack([hits, 1 - hits], axis=1))
        if change is None:
            return None
        total = float(weights[change.at :].sum())
        now = float(losses[change.at :] @ weights[change.at :]) / total if total else known
        return Erring(name, known, now, self._recent.dated(change, among))

    def state(self) -> dict[str, Any]:
        return self._recent.state() | {"names": self._parts[:MOST_PARTS]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """An older version kept no parts."""
        self._parts = [*map(str, state.get("names", ()))]
        self._recent.restore(state)
