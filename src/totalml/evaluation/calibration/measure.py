"""Fit on validation, report on test; the predictions themselves stay as they are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Ints
from totalml.evaluation.calibration.bins import calibration_bins, calibration_error
from totalml.evaluation.calibration.record import Calibration, CalibrationBin, Temperature
from totalml.evaluation.calibration.temperature import fit_temperature, log_loss, scaled
from totalml.evaluation.calibration.threshold import choose_threshold
from totalml.evaluation.classification.scores import Scores
from totalml.evaluation.interval import Interval
from totalml.evaluation.shares import mean_bounds, mean_variance, z_of
from totalml.recipe import CalibrationRecipe, EvaluationRecipe


def measure_calibration(
    evaluation: EvaluationRecipe,
    recipe: CalibrationRecipe,
    scores: Scores,
    bins: tuple[CalibrationBin, ...],
    validation: tuple[Ints, NDArray[np.floating[Any]]],
    classes: Sequence[str],
) -> Calibration:
    """Args:
    scores, bins: of the test split.
    validation: (V,) labels and (V, K) probabilities.
    """
    z = z_of(evaluation.confidence)
    labels, probabilities = validation
    fitted_on = Scores(labels, np.asarray(probabilities, np.float64), scores.positive, scores.bins)
    sureness = _sureness(scores, z)
    costs = recipe.costs
    return Calibration(
        sureness=sureness,
        tolerance=recipe.tolerance,
        off=max(sureness.low or 0.0, -(sureness.high or 0.0)) > recipe.tolerance,
        temperature=_temperature(scores, bins, fitted_on, z),
        threshold=None if costs is None else choose_threshold(costs, classes, fitted_on, scores, z),
    )


def _temperature(scores: Scores, bins: tuple[CalibrationBin, ...], validation: Scores, z: float) -> Temperature:
    fitted = fit_temperature(validation.probabilities, validation.labels, z)
    cooled = Scores(scores.labels, scaled(scores.probabilities, fitted.value or 1.0), scores.positive, scores.bins)
    cooled_bins = calibration_bins(cooled)
    return Temperature(
        value=fitted,
        ece=calibration_error(bins),
        ece_scaled=calibration_error(cooled_bins),
        log_loss=log_loss(scores.probabilities, scores.labels),
        log_loss_scaled=log_loss(cooled.probabilities, scores.labels),
        bins=cooled_bins,
    )


def _sureness(scores: Scores, z: float) -> Interval:
    gaps = scores.confidence - (scores.labels == scores.predicted)
    expected = scores.confidence * (1 - scores.confidence)
    sums = [np.array([part.sum()]) for part in (gaps, gaps**2, expected)]
    count = np.array([len(gaps)])
    low, high = mean_bounds(sums[0] / count, mean_variance(count, *sums), z)
    return Interval(float(gaps.mean()), float(low[0]), float(high[0]))
