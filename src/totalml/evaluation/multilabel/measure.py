"""Measure the predictions on the test split, with thresholds that the validation split chose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from totalml.evaluation.arrays import Floats
from totalml.evaluation.fairness.measure import Spoken, fairness_of
from totalml.evaluation.interval import Interval
from totalml.evaluation.multilabel.calibration import label_bins, measure_calibration
from totalml.evaluation.multilabel.columns import lists, probability_columns, said_column
from totalml.evaluation.multilabel.inputs import check_predictions, check_recipe
from totalml.evaluation.multilabel.record import LabelFigures, Matrix, MultiLabelEvaluation
from totalml.evaluation.multilabel.scores import Flags, LabelScores
from totalml.evaluation.multilabel.thresholds import DEFAULT, best_thresholds
from totalml.evaluation.multilabel.undefined import label_note, overall_note
from totalml.evaluation.multilabel.weighted import WeightedLabelMetrics, label_figures
from totalml.evaluation.predicted import Predicted
from totalml.evaluation.resampled import Figures, bounds, interval_of
from totalml.evaluation.slices.measure import measure_slices
from totalml.evaluation.slices.membership import membership
from totalml.evaluation.together import group_column, in_groups
from totalml.recipe import EvaluationRecipe


def evaluate(evaluation: EvaluationRecipe, predicted: Predicted, *, fit_thresholds: bool) -> MultiLabelEvaluation:
    """Compare predictions with labels.

    Args: fit_thresholds: on the validation split; else all are 0.5.
    Raises: EvaluationError: no samples, shapes or values that are no predictions, keys that only classes have.
    """
    check_recipe(evaluation)
    check_predictions(predicted)
    names, context = predicted.names, predicted.context
    thresholds = _thresholds(predicted) if fit_thresholds else np.full(len(names), DEFAULT)
    scores = _scores(predicted, thresholds, evaluation.calibration_bins)
    point, count = label_figures(scores), len(predicted.ids)
    metrics = WeightedLabelMetrics(scores)
    grouped = group_column(predicted.groups)
    together = in_groups(pa.table(grouped))
    low, high = bounds(metrics, count, point, evaluation.bootstrap, evaluation.confidence, predicted.seed, together)
    slices = membership(evaluation.slices, context) if context and evaluation.slices else {}
    return MultiLabelEvaluation(
        labels=tuple(names),
        count=count,
        metrics={
            name: interval_of(value[0], low.overall[name][0], high.overall[name][0], overall_note(name, scores, names))
            for name, value in point.overall.items()
        },
        per_label={
            label: LabelFigures(
                support=int(scores.true[:, k].sum()),
                threshold=float(thresholds[k]),
                figures=_intervals(k, label, scores, point, low, high),
            )
            for k, label in enumerate(names)
        },
        co_occurrence=_crossed(_or_none(scores.true), _or_none(scores.said)),
        taken_for=_crossed(scores.true & ~scores.said, scores.said & ~scores.true),
        calibration=label_bins(scores),
        predictions=_predictions(predicted, scores, {**slices, **grouped}),
        confidence=evaluation.confidence,
        resamples=evaluation.bootstrap,
        **_in_depth(evaluation, predicted, scores),
    )


def _thresholds(predicted: Predicted) -> Floats:
    if predicted.validation is None:
        return np.full(len(predicted.names), DEFAULT)
    true, probabilities = predicted.validation
    return best_thresholds(true > DEFAULT, probabilities)


def _scores(predicted: Predicted, thresholds: Floats, bins: int) -> LabelScores:
    probabilities = np.asarray(predicted.answers, np.float64)
    return LabelScores(predicted.truth > DEFAULT, probabilities >= thresholds, probabilities, bins)


def _intervals(
    k: int, label: str, scores: LabelScores, point: Figures, low: Figures, high: Figures
) -> dict[str, Interval]:
    return {
        name: interval_of(
            values[0, k], low.per_class[name][0, k], high.per_class[name][0, k], label_note(name, k, label, scores)
        )
        for name, values in point.per_class.items()
    }


def _crossed(rows: Flags, columns: Flags) -> Matrix:
    """Samples with the flag of a row and that of a column."""
    return tuple(tuple(row) for row in (rows.astype(np.int64).T @ columns.astype(np.int64)).tolist())


def _or_none(flags: Flags) -> Flags:
    """(N, L + 1), the last one where there is none."""
    return np.concatenate([flags, ~flags.any(axis=1, keepdims=True)], axis=1)


def _predictions(predicted: Predicted, scores: LabelScores, groups: Mapping[str, pa.Array]) -> pa.Table:
    names = predicted.names
    given = {"id": pa.array(predicted.ids, pa.string()), "labels": lists(scores.true, names)}
    return pa.table(
        {**given, **said_column(names, scores.said), **probability_columns(names, scores.probabilities), **groups}
    )


def _in_depth(evaluation: EvaluationRecipe, predicted: Predicted, scores: LabelScores) -> dict[str, Any]:
    """What the recipe asks for beyond the metrics; a sample counts as right in a slice if all its labels are."""
    context, validation = predicted.context, predicted.validation
    found: dict[str, Any] = {}
    if context is None:
        return found
    if evaluation.slices:
        found["slices"] = measure_slices(evaluation, evaluation.slices, context, ~scores.all_right)
    if evaluation.fairness:
        spoken = [
            Spoken(label, scores.said[:, k], scores.true[:, k], scores.probabilities[:, k])
            for k, label in enumerate(predicted.names)
        ]
        found["fairness"] = fairness_of(evaluation, evaluation.fairness, context, spoken)
    if evaluation.calibration and validation:
        found["confidence_check"] = measure_calibration(evaluation, evaluation.calibration, scores, validation)
    return found
