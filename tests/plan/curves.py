"""Levers with invented curves, and what is asked of them."""

from collections.abc import Sequence

import numpy as np

from totalml.plan.advise import Asked
from totalml.plan.lever import Lever

FACTORS = (0.5, 0.75, 1.0, 1.25, 1.5)


def lever(name: str, effects: Sequence[float], cost: float = 1.0, power: float = 1.0) -> Lever:
    """Args: effects: of the whole lever, by member: the outcome is effect * factor ** power."""
    outcomes = np.array(FACTORS)[:, None] ** power * np.array(effects)
    return Lever(name, cost, FACTORS, tuple(map(tuple, outcomes.tolist())))


def asked(*levers: Lever, budget: float | None = None, value: float = 1.0, **given: object) -> Asked:
    return Asked(levers, value, budget, **{"confidence": 0.9, "bounds": {}, **given})
