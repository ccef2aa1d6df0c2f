"""What errors are compared with where no model is needed: the last season's value, and the middle one."""

from __future__ import annotations

import numpy as np

from totalml.evaluation.arrays import Floats
from totalml.evaluation.predicted import TrainingTruth

NO_TIME = "samples without timestamps have no season"
SEVERAL_AT_ONCE = "several training samples have one timestamp, so that rows make no season"


def seasonal_error(training: TrainingTruth, season: int) -> Floats:
    """(T,) mean absolute difference of the training truth to that of so many rows earlier; NaN where undefined.

    Source: Hyndman and Koehler 2006.
    """
    values = np.asarray(training.values, np.float64)
    if training.times is None or len(values) <= season or _at_once(training):
        return np.full(values.shape[1], np.nan)
    ordered = values[np.argsort(training.times, kind="stable")]
    error: Floats = np.abs(ordered[season:] - ordered[:-season]).mean(axis=0)
    return np.where(error > 0, error, np.nan)


def why_no_season(training: TrainingTruth, season: int) -> str:
    """Why MASE is undefined."""
    if training.times is None:
        return NO_TIME
    if _at_once(training):
        return SEVERAL_AT_ONCE
    if len(training.values) <= season:
        return f"{len(training.values)} training samples make no season of {season}"
    return "the training truth never changes from one season to the next"


def _at_once(training: TrainingTruth) -> bool:
    """Whether there are several series, or pictures of one moment: the row before is then one of another."""
    return training.times is not None and len(np.unique(training.times)) < len(training.times)
