"""Intervals of the difference of two models' figures, from resampling the test samples that both predicted."""

from __future__ import annotations

import numpy as np

from totalml.evaluation.arrays import Floats
from totalml.evaluation.bootstrap import percentiles, resample_counts
from totalml.evaluation.interval import Interval
from totalml.evaluation.regression.record import RegressionEvaluation
from totalml.evaluation.regression.values import Values
from totalml.evaluation.regression.weighted import Figures, WeightedFigures

SEED = 0  # the same two runs give the same interval


def paired_differences(ours: RegressionEvaluation, theirs: RegressionEvaluation) -> dict[str, Interval]:
    """Ours minus theirs, by the names of `Evaluation.figures`; undefined where one of them is.

    Both are told in our deviations and seasons, so that nothing but the predictions differs.

    Args: both of the same targets on the same samples; their order may differ.
    """
    both = [WeightedFigures(_values(each, ours)) for each in (ours, theirs)]
    found = _difference(ours, *(figures.of(np.ones((1, ours.count), np.int64)) for figures in both))
    parts = [
        _difference(ours, *(figures.of(counts) for figures in both))
        for counts in resample_counts(ours.count, ours.resamples, SEED)
    ]
    named: dict[str, Interval] = {}
    for name, value in found.items():
        drawn = np.concatenate([part[name] for part in parts]) if parts else np.full(1, np.nan)
        low, high = percentiles(drawn, ours.confidence)
        named[name] = Interval(_defined(value[0]), _defined(low[0]), _defined(high[0]))
    return named


def _difference(evaluation: RegressionEvaluation, ours: Figures, theirs: Figures) -> dict[str, Floats]:
    """(R,) of each figure."""
    overall = {name: each - theirs.overall[name] for name, each in ours.overall.items()}
    return overall | {
        f"per_target.{target}.{name}": each[:, t] - theirs.per_target[name][:, t]
        for t, target in enumerate(evaluation.targets)
        for name, each in ours.per_target.items()
    }


def _values(evaluation: RegressionEvaluation, ours: RegressionEvaluation) -> Values:
    """Rows in the order of their ids, so that those of two runs stand beside each other."""
    order = np.argsort(np.array(evaluation.predictions["id"].to_pylist(), object), kind="stable")
    truth, said, low, high = (evaluation.column(part)[order] for part in ("truth", "value", "lower", "upper"))
    deviation = np.array([ours.deviation[name] for name in ours.targets])
    naive = np.array([np.nan if (one := ours.naive[name]) is None else one for name in ours.targets])
    return Values(truth, said, low, high, deviation, naive)


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
