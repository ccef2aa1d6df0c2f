"""Rates of every group beside those of all others, group by group and class by class.

The figures are those of fairlearn's MetricFrame; counted here, because they come with intervals and because four
ratios are not worth importing pandas and scikit-learn.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Floats, Ints, ratio
from totalml.evaluation.classification.scores import Scores
from totalml.evaluation.columns import Column, SampleContext
from totalml.evaluation.fairness.record import Fairness, GroupFigure
from totalml.evaluation.interval import Interval
from totalml.evaluation.shares import gap_bounds, mean_bounds, mean_variance, wilson, z_of
from totalml.recipe import EvaluationRecipe, FairnessRecipe

Bools = NDArray[np.bool_]
Bounds = Callable[[float], tuple[Floats, Floats]]


@dataclass(frozen=True)
class _Rates:
    """One figure of every group of a column: (G,) each; `others` counts all samples outside the group.

    Args: bounds, gap_bounds: of `value` and `gap`, that many standard errors wide.
    """

    figure: str
    column: Column
    label: str
    count: Ints
    others: Ints
    value: Floats
    gap: Floats
    bounds: Bounds
    gap_bounds: Bounds

    def enough(self, min_support: int) -> Bools:
        enough: Bools = np.minimum(self.count, self.others) >= min_support
        return enough


@dataclass(frozen=True)
class Spoken:
    """What a model says of one class or label.

    Args: said, true: (N,) whether it is said, and whether it holds; probability: (N,) that it does.
    """

    label: str
    said: Bools
    true: Bools
    probability: Floats


def measure_fairness(
    evaluation: EvaluationRecipe, recipe: FairnessRecipe, context: SampleContext, scores: Scores, classes: Sequence[str]
) -> Fairness:
    """With two classes the positive one is looked at, with more each of them."""
    looked = range(len(classes)) if scores.positive is None else [scores.positive]
    spoken = [Spoken(classes[k], scores.predicted == k, scores.labels == k, scores.probabilities[:, k]) for k in looked]
    return fairness_of(evaluation, recipe, context, spoken)


def fairness_of(
    evaluation: EvaluationRecipe, recipe: FairnessRecipe, context: SampleContext, spoken: Sequence[Spoken]
) -> Fairness:
    """Each class or label by itself, against all else."""
    columns = [context.column(name) for name in recipe.columns]
    rates = [one for column in columns for each in spoken for one in _rates(column, each)]
    looked_at = int(sum(one.enough(recipe.min_support).sum() for one in rates))
    z = z_of(evaluation.confidence, looked_at)
    return Fairness(
        figures=tuple(figure for one in rates for figure in _figures(one, recipe, z)),
        looked_at=looked_at,
        tolerance=recipe.tolerance,
        min_support=recipe.min_support,
        confidence=evaluation.confidence,
    )


def _rates(column: Column, of: Spoken) -> Iterator[_Rates]:
    yield _shares("selection_rate", column, of.label, of.said, np.ones(len(of.said), np.bool_))
    yield _shares("true_positive_rate", column, of.label, of.said, of.true)
    yield _shares("false_positive_rate", column, of.label, of.said, ~of.true)
    yield _means("calibration", column, of.label, of.probability, of.true)


def _shares(figure: str, column: Column, label: str, hit: Bools, among: Bools) -> _Rates:
    count, hits = _totals(column, among), _totals(column, among & hit)
    others, other_hits = count.sum() - count, hits.sum() - hits
    return _Rates(
        *(figure, column, label, count, others),
        value=ratio(hits, count),
        gap=ratio(hits, count) - ratio(other_hits, others),
        bounds=lambda z: wilson(hits, count, z),
        gap_bounds=lambda z: gap_bounds(hits, count, other_hits, others, z),
    )


def _means(figure: str, column: Column, label: str, said: Floats, true: Bools) -> _Rates:
    """How much the mean probability is above the share that it is the probability of."""
    count = _totals(column, np.ones(len(true), np.bool_))
    others = count.sum() - count
    terms = [said - true, (said - true) ** 2, said * (1 - said)]
    sums = [np.bincount(column.codes, term, len(column.values)) for term in terms]
    mean, variance = ratio(sums[0], count), mean_variance(count, *sums)
    other_sums = [part.sum() - part for part in sums]
    other_mean, other_variance = ratio(other_sums[0], others), mean_variance(others, *other_sums)
    return _Rates(
        *(figure, column, label, count, others),
        value=mean,
        gap=mean - other_mean,
        bounds=lambda z: mean_bounds(mean, variance, z),
        gap_bounds=lambda z: mean_bounds(mean - other_mean, variance + other_variance, z),
    )


def _totals(column: Column, counted: Bools) -> Ints:
    return np.bincount(column.codes[counted], minlength=len(column.values))


def _figures(rates: _Rates, recipe: FairnessRecipe, z: float) -> Iterator[GroupFigure]:
    enough = rates.enough(recipe.min_support)
    (low, high), (gap_low, gap_high) = rates.bounds(z), rates.gap_bounds(z)
    beyond = np.maximum(gap_low, -gap_high) > recipe.tolerance
    for k in np.flatnonzero(rates.count).tolist():
        gap = Interval(float(rates.gap[k]), float(gap_low[k]), float(gap_high[k])) if enough[k] else Interval(None)
        yield GroupFigure(
            figure=rates.figure,
            column=rates.column.name,
            group=rates.column.words[k],
            label=rates.label,
            count=int(rates.count[k]),
            value=Interval(float(rates.value[k]), float(low[k]), float(high[k])),
            gap=gap,
            counts=bool(enough[k] and beyond[k]),
        )
