"""The reliability diagram's bins and the gap that they come to."""

import numpy as np

from totalml.evaluation.arrays import ratio
from totalml.evaluation.calibration.record import CalibrationBin
from totalml.evaluation.classification.scores import Scores


def calibration_bins(scores: Scores) -> tuple[CalibrationBin, ...]:
    bins = scores.bins
    counts = np.bincount(scores.bin_of, minlength=bins)
    confidence = ratio(np.bincount(scores.bin_of, scores.confidence, bins), counts)
    accuracy = ratio(np.bincount(scores.bin_of, scores.labels == scores.predicted, bins), counts)
    return tuple(
        CalibrationBin(k / bins, (k + 1) / bins, int(counts[k]), _defined(confidence[k]), _defined(accuracy[k]))
        for k in range(bins)
    )


def calibration_error(bins: tuple[CalibrationBin, ...]) -> float:
    """Mean distance of confidence and accuracy, weighed by samples. Source: Guo et al. 2017, eq. 3."""
    gaps = [one.count * abs((one.confidence or 0.0) - (one.accuracy or 0.0)) for one in bins if one.count]
    return sum(gaps) / sum(one.count for one in bins)


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
