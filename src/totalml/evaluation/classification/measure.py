"""Measure the predictions on the test split.

The value of a metric comes from torchmetrics, its interval from resampling. What is undefined is None.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from totalml.evaluation.arrays import Ints
from totalml.evaluation.calibration.bins import calibration_bins
from totalml.evaluation.classification.depth import in_depth
from totalml.evaluation.classification.inputs import check_positive, check_predictions, gold_indices
from totalml.evaluation.classification.point import confusion_matrix, point_figures
from totalml.evaluation.classification.record import ClassificationEvaluation, answer_columns
from totalml.evaluation.classification.scores import Scores
from totalml.evaluation.classification.undefined import class_note, overall_note
from totalml.evaluation.classification.weighted import WeightedMetrics
from totalml.evaluation.columns import SampleContext
from totalml.evaluation.interval import Interval
from totalml.evaluation.record import shares_with_chance
from totalml.evaluation.resampled import Figures, bounds, interval_of
from totalml.evaluation.slices.membership import membership
from totalml.evaluation.together import facts, group_column, in_groups
from totalml.recipe import EvaluationRecipe


def evaluate(
    evaluation: EvaluationRecipe,
    classes: Sequence[str],
    ids: Sequence[str],
    labels: Ints,
    probabilities: NDArray[np.floating[Any]],
    gold: Sequence[str | None] | None,
    seed: int,
    context: SampleContext | None = None,
    validation: tuple[Ints, NDArray[np.floating[Any]]] | None = None,
    groups: Sequence[str] | None = None,
) -> ClassificationEvaluation:
    """Compare predictions with labels.

    Args:
        ids, labels: (N,), labels as index into `classes`.
        probabilities: (N, K), each row adds up to 1.
        gold: (N,) name of the true class, None where unknown; None if the recipe names no gold column.
        seed: of the resampling.
        context: what slices and fairness need; without it there are none.
        groups: (N,) of samples that are one fact; None: each is one.
        validation: (V,) labels and (V, K) probabilities of the validation split, for the calibration.
    Raises: EvaluationError: no samples, shapes or values that are no predictions, an unknown class.
    """
    positive = check_positive(evaluation, classes)
    check_predictions(classes, ids, labels, probabilities)
    scores = Scores(
        labels=np.asarray(labels, np.int64),
        probabilities=np.asarray(probabilities, np.float64),
        positive=positive,
        bins=evaluation.calibration_bins,
        gold=None if gold is None else gold_indices(gold, classes, ids),
    )
    point = point_figures(scores)
    metrics = WeightedMetrics(scores)
    grouped = group_column(groups)
    together = in_groups(pa.table(grouped))
    low, high = bounds(metrics, len(ids), point, evaluation.bootstrap, evaluation.confidence, seed, together)
    bins = calibration_bins(scores)
    slices = membership(evaluation.slices, context) if context and evaluation.slices else {}
    most = facts(together, len(ids))
    measured = {
        name: interval_of(value[0], low.overall[name][0], high.overall[name][0], overall_note(name, scores, classes))
        for name, value in point.overall.items()
    }
    return ClassificationEvaluation(
        classes=tuple(classes),
        count=len(ids),
        positive=None if positive is None else classes[positive],
        metrics=shares_with_chance(measured, most, evaluation.confidence),
        per_class={
            label: _class_figures(k, label, scores, (point, low, high), evaluation.confidence, most)
            for k, label in enumerate(classes)
        },
        confusion=confusion_matrix(scores),
        calibration=bins,
        predictions=_predictions(scores, classes, ids, gold, {**slices, **grouped}),
        confidence=evaluation.confidence,
        resamples=evaluation.bootstrap,
        **(in_depth(evaluation, context, scores, bins, classes, validation) if context else {}),
    )


def _class_figures(
    k: int, label: str, scores: Scores, found: tuple[Figures, Figures, Figures], confidence: float, most: int
) -> dict[str, Interval | int]:
    (point, low, high), support = found, int((scores.labels == k).sum())
    intervals = {
        name: interval_of(
            values[0, k],
            low.per_class[name][0, k],
            high.per_class[name][0, k],
            class_note(name, k, label, scores),
        )
        for name, values in point.per_class.items()
    }
    return {**shares_with_chance(intervals, min(support, most), confidence), "support": support}


def _predictions(
    scores: Scores,
    classes: Sequence[str],
    ids: Sequence[str],
    gold: Sequence[str | None] | None,
    groups: Mapping[str, pa.Array],
) -> pa.Table:
    names = np.array(classes, object)
    given = {"id": pa.array(ids, pa.string()), "label": pa.array(names[scores.labels], pa.string())}
    known = {} if gold is None else {"gold": pa.array(gold, pa.string())}
    return pa.table({**given, **known, **answer_columns(classes, scores.probabilities), **groups})
