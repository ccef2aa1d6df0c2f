"""What a model says would come of each lever: the curves that every plan is made from, and that a release keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from totalml.evaluation.arrays import Floats

STEPS = 20  # of the grid, so that factors from 0.5 to 1.5 go by 0.05


@dataclass(frozen=True)
class Lever:
    """Args:
    cost: of the planned rows as they are.
    factors: (G,) ascending, 1 among them: how many times what was used.
    outcomes: (G, K) the target, summed over the planned rows, at each factor of this lever alone, by each member of
        the model; one member where it has none.
    """

    name: str
    cost: float
    factors: tuple[float, ...]
    outcomes: tuple[tuple[float, ...], ...]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        lists = {"factors": tuple(values["factors"]), "outcomes": tuple(map(tuple, values["outcomes"]))}
        return cls(**{**values, **lists})

    @property
    def now(self) -> int:
        """The place of factor 1."""
        return self.factors.index(1.0)

    @cached_property
    def grid(self) -> Floats:
        """(G,) the factors."""
        return np.array(self.factors)

    @property
    def costs(self) -> Floats:
        """(G,) at each factor."""
        return self.cost * self.grid

    @cached_property
    def change(self) -> Floats:
        """(G, K) of the outcome, to that of factor 1."""
        outcomes = np.array(self.outcomes)
        return outcomes - outcomes[self.now]

    def gains(self, value: float) -> Floats:
        """(G, K) what each factor earns more than factor 1 does, less what it costs more.

        Args: value: of one unit of the target.
        """
        return value * self.change - (self.costs - self.cost)[:, None]

    def gain_at(self, factor: float, value: float) -> Floats:
        """(K,) between two factors of the grid in proportion; it must lie within them."""
        gains = self.gains(value)
        return np.array([np.interp(factor, self.grid, gains[:, member]) for member in range(gains.shape[1])])


def grid(least: float, most: float) -> tuple[float, ...]:
    """Factors from least to most, evenly on either side of 1, which is one of them."""
    below = round(STEPS * (1 - least) / (most - least))
    below = min(max(below, least < 1), STEPS - (most > 1))
    parts = [np.linspace(least, 1.0, below + 1), np.linspace(1.0, most, STEPS - below + 1)[1:]]
    return tuple(round(float(factor), 9) for factor in np.concatenate(parts))


def spent(levers: Sequence[Lever], factors: Mapping[str, float]) -> float:
    """What a plan costs; levers that it does not name stay as they are."""
    return sum(lever.cost * factors.get(lever.name, 1.0) for lever in levers)
