"""Levers with invented curves, what is asked of them, and the plan of that."""

from collections.abc import Sequence

import numpy as np

from totalml.plan.advise import Asked, advise
from totalml.plan.contributions import Contributions
from totalml.plan.lever import Lever
from totalml.plan.record import Plan
from totalml.plan.truth import Truth

FACTORS = (0.5, 0.75, 1.0, 1.25, 1.5)


def lever(name: str, effects: Sequence[float], cost: float = 1.0, power: float = 1.0) -> Lever:
    """Args: effects: of the whole lever, by member: the outcome is effect * factor ** power."""
    outcomes = np.array(FACTORS)[:, None] ** power * np.array(effects)
    return Lever(name, cost, FACTORS, tuple(map(tuple, outcomes.tolist())))


def asked(*levers: Lever, budget: float | None = None, value: float = 1.0, **given: object) -> Asked:
    return Asked(levers, value, budget, **{"confidence": 0.9, "bounds": {}, **given})


def plan_of(*levers: Lever, budget: float | None = None, truth: Truth | None = None) -> Plan:
    """A quarter's plan in EUR, by the sum of what each lever brings."""
    found = asked(*levers, budget=budget)
    advice, tried = advise(found)
    return Plan(
        target="sales",
        target_unit="pints",
        value=1.0,
        unit="EUR",
        since="2026-10-05T00:00:00+00:00",
        until="2026-12-28T00:00:00+00:00",
        rows=13,
        members=found.members,
        confidence=0.9,
        budget=budget,
        outcome=100.0,
        levers=levers,
        advice=advice,
        tried=tried,
        experiment=None,
        contributions=Contributions((), (), {}, {}),
        truth=truth,
    )
