"""What would have come of a plan, where that is known: how much was gained, and how much could have been."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from totalml.errors import EvaluationError
from totalml.plan.advise import Asked, choose, mean_of
from totalml.plan.lever import Lever, spent

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.kinds import PlanTruth


@dataclass(frozen=True)
class Truth:
    """Args:
    gain: what the advice truly earns more than to change nothing, less what it costs more.
    best_gain: the same of the best plan on the same grid and within the same budget.
    best: its factors.
    levers: the true curves, of a single member.
    """

    gain: float
    best_gain: float
    best: dict[str, float]
    levers: tuple[Lever, ...]

    @property
    def regret(self) -> float:
        return self.best_gain - self.gain

    @property
    def regret_share(self) -> float | None:
        """Of what the best plan gains; None where that is nothing."""
        return self.regret / self.best_gain if self.best_gain > 0 else None

    @property
    def worse_than_nothing(self) -> bool:
        return self.gain < 0

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(**{**values, "levers": tuple(map(Lever.from_json, values["levers"]))})


def hold_against(truth: PlanTruth, rows: pa.Table, asked: Asked, advised: Mapping[str, float]) -> Truth:
    """Args:
    rows: metadata of the planned samples, with `id` and `timestamp`.
    asked: from what the advice was made.
    Raises: EvaluationError: the truth is not a number for each sample.
    """

    def total(factors: Mapping[str, float]) -> float:
        found = np.asarray(truth.outcome(rows, factors), np.float64)
        if found.shape != (rows.num_rows,) or not np.isfinite(found).all():
            raise EvaluationError(
                f"plan.truth: {truth.public_path()}.outcome must give a number for each of the {rows.num_rows} planned "
                f"samples; got an array of shape {found.shape}{'' if np.isfinite(found).all() else ' with others'}."
            )
        return float(found.sum())

    now = dict.fromkeys([lever.name for lever in asked.levers], 1.0)
    levers = tuple(
        Lever(each.name, each.cost, each.factors, tuple((total({**now, each.name: at}),) for at in each.factors))
        for each in asked.levers
    )
    unchanged, cost = total(now), spent(levers, now)

    def gain(factors: Mapping[str, float]) -> float:
        return asked.value * (total({**now, **factors}) - unchanged) - (spent(levers, factors) - cost)

    true_asked = Asked(levers, asked.value, asked.budget, asked.confidence, asked.bounds)
    # Found by the levers' own curves: where they meet each other in the truth, another one may be better.
    plans = [dict(advised), choose(true_asked, mean_of)]
    gains = [gain(factors) for factors in plans]
    best = int(np.argmax(gains))
    return Truth(gains[0], gains[best], plans[best], levers)
