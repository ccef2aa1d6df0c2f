"""`make_plan`: a trained model, and what is known of its levers -> what to do with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import EvaluationError
from totalml.evaluation.arrays import Floats, Ints
from totalml.plan.advise import Advice, Asked, advise
from totalml.plan.certainty import LEAST_MEMBERS
from totalml.plan.contributions import Contributions, contributions_of
from totalml.plan.experiment import Residuals, next_experiment
from totalml.plan.lever import Lever, grid, spent
from totalml.plan.planned import Planned, cost_of, planned_rows, stamps
from totalml.plan.record import Plan
from totalml.plan.truth import hold_against
from totalml.recipe.plan import FREE, SAME

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.evaluation.parts import Given
    from totalml.recipe import PlanRecipe


def make_plan(given: Given) -> Plan:
    """Raises: EvaluationError: the recipe has no plan, or the model answers what cannot be planned with."""
    recipe, evaluation, snapshot = given.recipe.plan, given.evaluation, given.snapshot
    if recipe is None:
        raise EvaluationError("the recipe has no plan; add the key 'plan'")
    rows = planned_rows(recipe, snapshot, given.splits)
    planned = Planned(given, recipe, rows)
    unchanged = planned.total({})
    asked, advice, tried = advised(planned)
    times = stamps(snapshot, rows)
    (target,) = given.features.targets.names
    return Plan(
        target=target,
        target_unit=evaluation.unit_of(target),
        value=recipe.value,
        unit=recipe.unit,
        since=_moment(times.min()),
        until=_moment(times.max()),
        rows=len(rows),
        members=asked.members if asked.members >= LEAST_MEMBERS else 0,
        confidence=recipe.confidence,
        budget=asked.budget,
        outcome=float(unchanged.mean()),
        levers=tuple(asked.levers),
        advice=advice,
        tried=tried,
        experiment=next_experiment(asked, len(rows), _residuals(given)),
        contributions=_contributions(given, recipe),
        truth=hold_against(recipe.truth, known_of(given, rows), asked, advice.factors) if recipe.truth else None,
    )


def advised(planned: Planned) -> tuple[Asked, Advice, Advice | None]:
    """What was asked, the advice, and the plan that it would be if it were surer, where it is another one."""
    recipe = planned.plan
    levers = tuple(_lever(name, planned) for name in recipe.levers)
    unchanged = planned.total({})
    asked = Asked(levers, recipe.value, _budget(recipe, levers), recipe.confidence, {})

    def joint(factors: Mapping[str, float]) -> Floats:
        return recipe.value * (planned.total(factors) - unchanged) - (spent(levers, factors) - spent(levers, {}))

    return asked, *advise(asked, joint)


def known_of(given: Given, rows: Ints) -> pa.Table:
    """The metadata of samples, with `id` and `timestamp`."""
    samples, metadata = given.snapshot.samples, given.snapshot.metadata.take(rows)
    for name in ("timestamp", "id"):
        metadata = metadata.add_column(0, name, samples[name].take(rows))
    return metadata


def _lever(name: str, planned: Planned) -> Lever:
    recipe = planned.plan.levers[name]
    factors = grid(recipe.least, recipe.most)
    outcomes = tuple(tuple(planned.total({name: factor}).tolist()) for factor in factors)
    return Lever(name, cost_of(recipe.cost, planned.given.snapshot.metadata, planned.rows), factors, outcomes)


def _budget(recipe: PlanRecipe, levers: tuple[Lever, ...]) -> float | None:
    if recipe.budget == FREE:
        return None
    return spent(levers, {}) if recipe.budget == SAME else float(recipe.budget)


def _contributions(given: Given, recipe: PlanRecipe) -> Contributions:
    rows = given.splits.test
    return contributions_of(Planned(given, recipe, rows), stamps(given.snapshot, rows), recipe.confidence)


def _residuals(given: Given) -> Residuals | None:
    """Of the test split, where the task names the column of the series; scaled so that all series are of one size.

    What a lever brings is taken to grow with a series, as its errors do: else the largest one would drown all others.
    """
    column = getattr(given.recipe.task, "series", None)
    if column is None:
        return None
    rows = given.splits.test
    named = np.array(given.snapshot.metadata[column].take(rows).to_pylist(), str)
    names, series = np.unique(named, return_inverse=True)
    predictions = given.evaluation.predictions
    said = predictions["value"].to_numpy().astype(np.float64)
    off = predictions["truth"].to_numpy().astype(np.float64) - said
    size = np.bincount(series, said) / np.bincount(series)
    if (size > 0).all():
        off *= (said.mean() / size)[series]
    return Residuals(tuple(names.tolist()), series, stamps(given.snapshot, rows), off)


def _moment(microseconds: int) -> str:
    return datetime.fromtimestamp(int(microseconds) / 1e6, UTC).isoformat()
