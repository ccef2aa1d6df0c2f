"""What the recipe asks for beyond the metrics: slices, fairness, calibration."""

from collections.abc import Sequence
from typing import Any

from totalml.evaluation.calibration.measure import measure_calibration
from totalml.evaluation.calibration.record import CalibrationBin
from totalml.evaluation.columns import Beside
from totalml.evaluation.fairness.measure import measure_fairness
from totalml.evaluation.scores import Scores
from totalml.evaluation.slices.measure import measure_slices
from totalml.recipe import EvaluationRecipe


def in_depth(
    evaluation: EvaluationRecipe,
    beside: Beside,
    scores: Scores,
    bins: tuple[CalibrationBin, ...],
    classes: Sequence[str],
) -> dict[str, Any]:
    """The fields of an `Evaluation` that the recipe asks for, by name."""
    found: dict[str, Any] = {}
    if evaluation.slices:
        found["slices"] = measure_slices(evaluation, evaluation.slices, beside, scores.labels != scores.predicted)
    if evaluation.fairness:
        found["fairness"] = measure_fairness(evaluation, evaluation.fairness, beside, scores, classes)
    if evaluation.calibration and beside.validation:
        found["confidence_check"] = measure_calibration(
            evaluation, evaluation.calibration, scores, bins, beside.validation, classes
        )
    return found
