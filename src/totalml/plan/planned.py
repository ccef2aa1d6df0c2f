"""The samples that a plan is made for, and what a model says would come of them if levers stood otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from totalml.duration import us_of
from totalml.errors import EvaluationError
from totalml.evaluation.arrays import Floats, Ints
from totalml.features.shared.part_names import places_of
from totalml.target import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.data import Snapshot, Splits
    from totalml.evaluation.parts import Given
    from totalml.features import FeatureSet
    from totalml.recipe import PlanRecipe


def check_plan(plan: PlanRecipe, features: FeatureSet, snapshot: Snapshot, splits: Splits) -> None:
    """Refuse, before an hour of training, what cannot be planned.

    Raises: EvaluationError: a lever moves no column, or none that ever changed in training, or its costs are not known;
        all mistakes at once.
    """
    if snapshot.samples["timestamp"].take(splits.test).null_count or not len(splits.test):
        raise EvaluationError("plan: test samples without a timestamp cannot be planned; let the source give them all.")
    rows = planned_rows(plan, snapshot, splits)
    mistakes = []
    for name, lever in plan.levers.items():
        moved = places_of(lever.feature, features.numeric_names)
        if not moved:
            # Of a shared feature of several parts, the name that means all of them.
            there = list(dict.fromkeys(each.split(".")[0] for each in features.numeric_names))
            hint = did_you_mean(lever.feature, there) or f"; there are: {', '.join(there) or 'none'}"
            mistakes.append(f"plan.levers.{name}.feature {lever.feature!r} is no numeric column{hint}")
        elif _stands_still(features.numeric[splits.train][:, moved]):
            mistakes.append(
                f"plan.levers.{name}.feature {lever.feature!r} is the same in all training samples, so that data "
                "cannot tell what it brings; vary it first, and leave the lever out until then"
            )
        if (mistake := _mistake_in_costs(lever.cost, snapshot.metadata, rows)) is not None:
            mistakes.append(f"plan.levers.{name}.cost {lever.cost!r} {mistake}")
    least = (
        0.0
        if mistakes
        else sum(lever.least * cost_of(lever.cost, snapshot.metadata, rows) for lever in plan.levers.values())
    )
    if isinstance(plan.budget, float) and plan.budget < least:
        mistakes.append(f"plan.budget is {plan.budget:,.2f}, and the least of all levers costs {least:,.2f}; raise it")
    if mistakes:
        raise EvaluationError("\n".join(mistakes))


def planned_rows(plan: PlanRecipe, snapshot: Snapshot, splits: Splits) -> Ints:
    """Test samples of the last `horizon`, in the order of the snapshot."""
    if plan.horizon is None:
        return splits.test
    times = stamps(snapshot, splits.test)
    return splits.test[times > times.max() - us_of(plan.horizon)]


def stamps(snapshot: Snapshot, rows: Ints) -> Ints:
    """(n,) microseconds since 1970."""
    import pyarrow as pa

    times = snapshot.samples["timestamp"].take(rows).cast(pa.timestamp("us", "UTC"))
    return times.cast("int64").to_numpy()


def cost_of(column: str, metadata: pa.Table, rows: Ints) -> float:
    return float(_numbers(metadata, column, rows).sum())


@dataclass(frozen=True)
class Planned:
    """Some samples of a run, of which any lever can be set to any factor."""

    given: Given
    plan: PlanRecipe
    rows: Ints

    def outcomes(self, factors: Mapping[str, float]) -> Floats:
        """(n, K) the target of each sample by each member, if levers stood at so many times what they were.

        K is 1 for a model without members, which then gives its answer. Levers that are not named stay as they are.
        """
        from totalml.training import predict, predict_members

        given, features = self.given, self._features
        features.numeric[self.rows] = self._scaled(factors)
        members = predict_members(given.recipe, given.trained, features, self.rows)
        if members is None:
            answers = predict(given.recipe, given.trained, features, self.rows)
            members = given.evaluation.answer_columns(answers)["value"].to_numpy()[:, None]
        found = members.astype(np.float64)
        if not np.isfinite(found).all():
            shown = ", ".join(f"{name} {factor:g}" for name, factor in factors.items()) or "as they are"
            raise EvaluationError(f"plan: the model answers with something that is no number where levers are {shown}.")
        return found

    def total(self, factors: Mapping[str, float]) -> Floats:
        """(K,) the target, summed over the samples, by member."""
        return self.outcomes(factors).sum(axis=0)

    @cached_property
    def _features(self) -> FeatureSet:
        """Its numbers are overwritten again and again."""
        return replace(self.given.features, numeric=self.given.features.numeric.copy())

    def _scaled(self, factors: Mapping[str, float]) -> NDArray[np.float32]:
        features = self.given.features
        numbers = features.numeric[self.rows]
        for name, factor in factors.items():
            numbers[:, places_of(self.plan.levers[name].feature, features.numeric_names)] *= np.float32(factor)
        return numbers


def _stands_still(numbers: NDArray[np.float32]) -> bool:
    """Whether no two differ, missing ones aside."""
    there = numbers[~np.isnan(numbers)]
    return len(numbers) > 0 and bool((there == there[:1]).all())


def _mistake_in_costs(column: str, metadata: pa.Table, rows: Ints) -> str | None:
    import pyarrow.types as kinds

    if column not in metadata.column_names:
        known = metadata.column_names
        hint = did_you_mean(column, known) or f"; there are: {', '.join(known) or 'none'}"
        return f"is no metadata column{hint}"
    kind = metadata.schema.field(column).type
    if not (kinds.is_floating(kind) or kinds.is_integer(kind)):
        return f"holds {kind}, and a cost is a number"
    costs = _numbers(metadata, column, rows)
    if not (np.isfinite(costs) & (costs >= 0)).all():
        return "is missing or below 0 for planned samples; a cost is a number from 0 on"
    if not costs.sum() > 0:
        return "is 0 for all planned samples, so that no factor of it changes anything; leave the lever out"
    return None


def _numbers(metadata: pa.Table, column: str, rows: Ints) -> Floats:
    """NaN where missing."""
    return metadata[column].take(rows).cast("float64").to_numpy().astype(np.float64)
