"""How far the probabilities of labels can be trusted; all labels together, so that few samples of each do no harm."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.arrays import Floats, ratio
from totalml.evaluation.calibration.record import Calibration, CalibrationBin, Temperature
from totalml.evaluation.calibration.temperature import fit_temperature, log_loss, scaled
from totalml.evaluation.interval import Interval
from totalml.evaluation.multilabel.scores import LabelScores
from totalml.evaluation.multilabel.weighted import label_figures
from totalml.evaluation.shares import mean_bounds, mean_variance, z_of
from totalml.recipe import CalibrationRecipe, EvaluationRecipe


def label_bins(scores: LabelScores) -> tuple[CalibrationBin, ...]:
    """Bins of the probability itself: `confidence` is its mean, `accuracy` the share that has the label."""
    place, bins = scores.bin_of.ravel(), scores.bins
    counts = np.bincount(place, minlength=bins)
    said = ratio(np.bincount(place, scores.probabilities.ravel(), bins), counts)
    true = ratio(np.bincount(place, scores.true.ravel(), bins), counts)
    return tuple(
        CalibrationBin(k / bins, (k + 1) / bins, int(counts[k]), _defined(said[k]), _defined(true[k]))
        for k in range(bins)
    )


def measure_calibration(
    evaluation: EvaluationRecipe,
    recipe: CalibrationRecipe,
    scores: LabelScores,
    validation: tuple[NDArray[Any], NDArray[Any]],
) -> Calibration:
    """One temperature for all labels; there is no threshold by cost.

    Args:
        scores: of the test split.
        validation: (V, L) truth and probabilities.
    """
    z = z_of(evaluation.confidence)
    sureness = _sureness(scores, z)
    return Calibration(
        sureness=sureness,
        tolerance=recipe.tolerance,
        off=max(sureness.low or 0.0, -(sureness.high or 0.0)) > recipe.tolerance,
        temperature=_temperature(scores, validation, z),
        threshold=None,
    )


def _temperature(scores: LabelScores, validation: tuple[NDArray[Any], NDArray[Any]], z: float) -> Temperature:
    true, probabilities = validation
    fitted = fit_temperature(_two_sides(probabilities), true.ravel().astype(np.int64), z)
    before, flags = _two_sides(scores.probabilities), scores.true.ravel().astype(np.int64)
    after = scaled(before, fitted.value or 1.0)
    cooled = LabelScores(scores.true, scores.said, after[:, 1].reshape(scores.true.shape), scores.bins)
    return Temperature(
        value=fitted,
        ece=float(label_figures(scores).overall["ece"][0]),
        ece_scaled=float(label_figures(cooled).overall["ece"][0]),
        log_loss=log_loss(before, flags),
        log_loss_scaled=log_loss(after, flags),
        bins=label_bins(cooled),
    )


def _two_sides(probabilities: NDArray[Any]) -> Floats:
    """(N, L) -> (N * L, 2): each label is a choice of its own between no and yes."""
    yes = np.asarray(probabilities, np.float64).ravel()
    return np.stack([1 - yes, yes], axis=1)


def _sureness(scores: LabelScores, z: float) -> Interval:
    """Mean probability minus the share that has the label; a sample's labels count as one term, being no chance draws.

    Above 0 labels are thought likelier than they are.
    """
    gaps = (scores.probabilities - scores.true).mean(axis=1)
    expected = (scores.probabilities * (1 - scores.probabilities)).sum(axis=1) / scores.labels**2
    sums = [np.array([part.sum()]) for part in (gaps, gaps**2, expected)]
    count = np.array([len(gaps)])
    low, high = mean_bounds(sums[0] / count, mean_variance(count, *sums), z)
    return Interval(float(gaps.mean()), float(low[0]), float(high[0]))


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
