"""What the recipe asks for beyond the metrics: slices, fairness, calibration."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from totalml.evaluation.arrays import Ints
from totalml.evaluation.calibration.measure import measure_calibration
from totalml.evaluation.calibration.record import CalibrationBin
from totalml.evaluation.classification.scores import Scores
from totalml.evaluation.columns import SampleContext
from totalml.evaluation.fairness.measure import measure_fairness
from totalml.evaluation.slices.measure import measure_slices
from totalml.recipe import EvaluationRecipe


def in_depth(
    evaluation: EvaluationRecipe,
    context: SampleContext,
    scores: Scores,
    bins: tuple[CalibrationBin, ...],
    classes: Sequence[str],
    validation: tuple[Ints, NDArray[Any]] | None,
) -> dict[str, Any]:
    """The fields of an `Evaluation` that the recipe asks for, by name."""
    found: dict[str, Any] = {}
    if evaluation.slices:
        found["slices"] = measure_slices(evaluation, evaluation.slices, context, scores.labels != scores.predicted)
    if evaluation.fairness:
        found["fairness"] = measure_fairness(evaluation, evaluation.fairness, context, scores, classes)
    if evaluation.calibration and validation:
        found["confidence_check"] = measure_calibration(
            evaluation, evaluation.calibration, scores, bins, validation, classes
        )
    return found
