"""Measure predicted numbers on the test split; what is undefined is None, with a note."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from totalml.errors import EvaluationError
from totalml.evaluation.arrays import Floats
from totalml.evaluation.bootstrap import percentiles
from totalml.evaluation.columns import SampleContext
from totalml.evaluation.fairness.errors import measure_error_fairness
from totalml.evaluation.interval import Interval
from totalml.evaluation.predicted import Known, Predicted
from totalml.evaluation.regression.columns import BEFORE, SEASONAL_ERROR, SERIES, TIME, column, drawn_together
from totalml.evaluation.regression.conformal import least_samples, margins, widened
from totalml.evaluation.regression.per_series import per_series
from totalml.evaluation.regression.periods import periods
from totalml.evaluation.regression.record import RegressionEvaluation
from totalml.evaluation.regression.seasonal import Seasonal, Series, seasonal, series_of
from totalml.evaluation.regression.thirds import thirds
from totalml.evaluation.regression.values import Values, mean_over_targets
from totalml.evaluation.regression.weighted import Figures, WeightedFigures, bootstrap
from totalml.evaluation.slices.errors import ErrorSizes
from totalml.evaluation.slices.measure import slices_of
from totalml.evaluation.slices.membership import membership
from totalml.evaluation.together import group_column
from totalml.kinds import Reach
from totalml.recipe import EvaluationRecipe

OF_INTERVALS = ("coverage", "interval_width")
ALWAYS_RIGHT = "what stood a season earlier is right each time"


def evaluate(
    evaluation: EvaluationRecipe,
    predicted: Predicted,
    coverage: float,
    reach: Reach,
    season: int,
    series: str | None,
    units: Mapping[str, str],
) -> RegressionEvaluation:
    """Args:
        coverage: that the intervals promise.
        reach: of the intervals.
        season: periods from one season to the next.
        series: metadata column that names the series of each sample; None: there is one.
    Raises: EvaluationError: no samples, or predictions that are no numbers.
    """
    _require_numbers(predicted)
    every = np.arange(len(predicted.ids))
    known = predicted.known or Known(predicted.truth, every, every)
    of_series = series_of(series, predicted.context, len(known.values))
    naive = seasonal(known, of_series, season)
    learnt = np.asarray(known.values[known.train], np.float64)
    margin = _margins(predicted, coverage, reach)
    when = {**_when(of_series, known), **group_column(predicted.groups)}
    values = replace(_values(predicted, learnt, naive, margin, reach), together=drawn_together(pa.table(when)))
    notes = _notes(values, naive, predicted, coverage)
    point, low, high = _bounded(values, evaluation, predicted.seed)
    middle = np.median(learnt, axis=0)
    times = None if known.times is None else known.times[known.test]
    context, names = predicted.context, tuple(predicted.names)
    groups = membership(evaluation.slices, context) if context and evaluation.slices else {}
    return RegressionEvaluation(
        count=len(predicted.ids),
        metrics={
            name: _interval(each[0], low.overall[name][0], high.overall[name][0], notes.get(name))
            for name, each in point.overall.items()
        },
        predictions=_predictions(predicted.ids, values, names, {**when, **groups}),
        confidence=evaluation.confidence,
        resamples=evaluation.bootstrap,
        targets=names,
        units={name: units[name] for name in names if name in units},
        per_target={name: _of_target(t, point, low, high, notes) for t, name in enumerate(names)},
        always={name: float(middle[t]) for t, name in enumerate(names)},
        always_mae=float(mean_over_targets(np.abs(values.truth - middle).mean(axis=0), values.deviation)),
        deviation={name: float(values.deviation[t]) for t, name in enumerate(names)},
        promised=coverage,
        widening={name: _defined(each) for name, each in zip(names, margin, strict=True)},
        reach=reach,
        thirds={name: thirds(values, t, evaluation.confidence) for t, name in enumerate(names)},
        periods={name: periods(values, t, times, evaluation.confidence) for t, name in enumerate(names)},
        per_series=per_series(values, of_series.names, of_series.codes[known.test]),
        **(_by_group(evaluation, context, values, names) if context else {}),
    )


def _by_group(
    evaluation: EvaluationRecipe, context: SampleContext, values: Values, names: Sequence[str]
) -> dict[str, Any]:
    """The fields of an `Evaluation` that the recipe asks for, by name."""
    found: dict[str, Any] = {}
    if evaluation.slices:
        sizes = values.combined(np.abs(values.errors))
        errors = ErrorSizes(values.combined(values.errors), sizes, values.unit)
        found["slices"] = slices_of(evaluation, evaluation.slices, context, errors)
    if evaluation.fairness:
        found["fairness"] = measure_error_fairness(evaluation, evaluation.fairness, context, values, names)
    return found


def _margins(predicted: Predicted, coverage: float, reach: Reach) -> Floats:
    # Without a validation split there are no scores, and so no intervals.
    validation = predicted.validation or (predicted.truth[:0], predicted.answers[:0])
    truth, answered = (np.asarray(part, np.float64) for part in validation)
    return margins(truth, answered, coverage, reach)


def _values(predicted: Predicted, learnt: Floats, naive: Seasonal, margin: Floats, reach: Reach) -> Values:
    truth, answers = (np.asarray(part, np.float64) for part in (predicted.truth, predicted.answers))
    said, low, high = widened(answers, margin, reach)
    deviation = learnt.std(axis=0)
    return Values(truth, said, low, high, np.where(deviation > 0, deviation, 1.0), naive.before, naive.error)


def _require_numbers(predicted: Predicted) -> None:
    if len(predicted.ids) == 0:
        raise EvaluationError("there is nothing to evaluate: the test split is empty. Raise data.split.test.")
    bad = ~np.isfinite(predicted.answers).all(axis=1)
    if bad.any():
        row = int(bad.argmax())
        raise EvaluationError(
            f"{bad.sum()} of {len(bad)} predictions are no numbers, first that of sample {predicted.ids[row]!r}: "
            f"{predicted.answers[row].tolist()}. Did training diverge? A lower learning rate may help."
        )


def _notes(values: Values, naive: Seasonal, predicted: Predicted, coverage: float) -> dict[str, str]:
    """Figure -> why it is undefined, for at least one target."""
    notes: dict[str, str] = {}
    alike = (values.truth == values.truth[:1]).all(axis=0)
    if alike.any():
        notes["r2"] = f"all test samples have the same {_listed(predicted.names, alike)}"
    notes |= {"mase": naive.why_no_error, "skill": naive.why_no_before or ALWAYS_RIGHT}
    if np.isnan(values.low).any():
        given = len(predicted.validation[0]) if predicted.validation else 0
        note = f"{given} validation samples are too few for intervals of {100 * coverage:g} %"
        notes |= dict.fromkeys(OF_INTERVALS, f"{note}; {least_samples(coverage)} are enough")
    return notes


def _bounded(values: Values, evaluation: EvaluationRecipe, seed: int) -> tuple[Figures, Figures, Figures]:
    """Every figure with its lower and its upper bound; NaN without resamples."""
    point = WeightedFigures(values).of(np.ones((1, len(values.truth)), np.int64))
    drawn = bootstrap(values, evaluation.bootstrap, seed) if evaluation.bootstrap else _undefined(point)
    low = _each(drawn, lambda each: percentiles(each, evaluation.confidence)[0])
    high = _each(drawn, lambda each: percentiles(each, evaluation.confidence)[1])
    return point, low, high


def _undefined(point: Figures) -> Figures:
    return _each(point, lambda values: np.full_like(values, np.nan))


def _each(figures: Figures, change: Callable[[Floats], Floats]) -> Figures:
    return Figures(
        {name: change(values) for name, values in figures.overall.items()},
        {name: change(values) for name, values in figures.per_target.items()},
    )


def _of_target(t: int, point: Figures, low: Figures, high: Figures, notes: Mapping[str, str]) -> dict[str, Interval]:
    return {
        name: _interval(each[0, t], low.per_target[name][0, t], high.per_target[name][0, t], notes.get(name))
        for name, each in point.per_target.items()
    }


def _interval(value: float, low: float, high: float, note: str | None) -> Interval:
    """The note of a figure that is defined is about another target."""
    return Interval(_defined(value), _defined(low), _defined(high), (note or None) if math.isnan(value) else None)


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _listed(names: Sequence[str], which: Any) -> str:
    return ", ".join(repr(name) for name, one in zip(names, which, strict=True) if one)


def _when(series: Series, known: Known) -> dict[str, pa.Array]:
    """Columns of the predictions that say of which moment and of which series each is, as far as there are any."""
    found = {} if known.times is None else {TIME: pa.array(known.times[known.test], pa.timestamp("us", "UTC"))}
    return found | ({SERIES: pa.array(series.of(known.test), pa.string())} if series.names else {})


def _predictions(ids: Sequence[str], values: Values, names: Sequence[str], more: Mapping[str, pa.Array]) -> pa.Table:
    columns: dict[str, Any] = {"id": pa.array(ids, pa.string())}
    parts: dict[str, Floats] = {"truth": values.truth, "value": values.said, "lower": values.low, "upper": values.high}
    if not np.isnan(values.before).all():
        parts |= {BEFORE: values.before, SEASONAL_ERROR: values.seasonal_error}
    for t, name in enumerate(names):
        columns |= {column(part, name, names): pa.array(each[:, t], from_pandas=True) for part, each in parts.items()}
    return pa.table({**columns, **more})
