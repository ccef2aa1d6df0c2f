"""Mean error and bias of every group beside those of all others, target by target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.columns import Column, SampleContext
from totalml.evaluation.fairness.record import Fairness, GroupFigure
from totalml.evaluation.interval import Interval
from totalml.evaluation.regression.values import Values
from totalml.evaluation.shares import holm, z_of
from totalml.evaluation.slices.errors import Bools, Ranked, mean_beside_others
from totalml.recipe import EvaluationRecipe, FairnessRecipe


@dataclass(frozen=True)
class _Means:
    """One figure of every group of a column.

    Args:
        values: (N,) whose mean it is; `unit`: what the tolerance is given in.
        looked: (G,) groups with enough samples on both sides.
    """

    figure: str
    column: Column
    target: str
    values: Floats
    unit: float
    looked: Ints

    def chance(self) -> Floats:
        """(G,) that a group's values lie as far above or below those of all others, by ranks."""
        one = np.zeros(len(self.values), np.int64)
        sides = [Ranked(sign * self.values, one).chance(self.column.codes, self.looked) for sign in (1, -1)]
        chance: Floats = (2 * np.minimum(*sides)).clip(max=1.0)
        return chance


def measure_error_fairness(
    evaluation: EvaluationRecipe,
    recipe: FairnessRecipe,
    context: SampleContext,
    values: Values,
    targets: Sequence[str],
) -> Fairness:
    """A gap counts if its nearer bound is beyond the tolerance, in deviations, and ranks tell the groups apart too.

    Means of few skewed errors have intervals that hold too rarely; ranks keep the promised rate for any errors.
    """
    columns = [context.column(name) for name in recipe.columns]
    means = [
        one for column in columns for t, name in enumerate(targets) for one in _of(column, t, name, values, recipe)
    ]
    looked_at = sum(len(one.looked) for one in means)
    corrected = holm(np.concatenate([np.zeros(0), *(one.chance() for one in means)]))
    parts = np.split(corrected, np.cumsum([len(one.looked) for one in means])[:-1]) if means else []
    z = z_of(evaluation.confidence, looked_at)
    return Fairness(
        figures=tuple(
            figure
            for one, chances in zip(means, parts, strict=True)
            for figure in _figures(one, chances <= 1 - evaluation.confidence, recipe.tolerance, z)
        ),
        looked_at=looked_at,
        tolerance=recipe.tolerance,
        min_support=recipe.min_support,
        confidence=evaluation.confidence,
    )


def _of(column: Column, t: int, target: str, values: Values, recipe: FairnessRecipe) -> Iterator[_Means]:
    count, unit = column.support(), float(values.deviation[t])
    looked = np.flatnonzero(np.minimum(count, len(column.codes) - count) >= recipe.min_support)
    errors = values.errors[:, t]
    yield _Means("mae", column, target, np.abs(errors), unit, looked)
    yield _Means("bias", column, target, errors, unit, looked)


def _figures(means: _Means, sure: Bools, tolerance: float, z: float) -> Iterator[GroupFigure]:
    by_ranks = dict(zip(means.looked.tolist(), sure.tolist(), strict=True))
    count = means.column.support()
    for group in np.flatnonzero(count).tolist():
        inside = means.column.codes == group
        value, gap = mean_beside_others(means.values, inside, z) if group in by_ranks else (_mean(means, inside), None)
        beyond = gap is not None and max(gap.low or 0.0, -(gap.high or 0.0)) > tolerance * means.unit
        yield GroupFigure(
            figure=means.figure,
            column=means.column.name,
            group=means.column.words[group],
            label=means.target,
            count=int(count[group]),
            value=value,
            gap=gap or Interval(None),
            counts=beyond and by_ranks[group],
        )


def _mean(means: _Means, inside: Bools) -> Interval:
    return Interval(float(means.values[inside].mean()))
