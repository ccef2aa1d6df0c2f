"""Intervals of the difference of two models' figures, from resampling the test samples that both predicted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from totalml.evaluation.arrays import Floats
from totalml.evaluation.bootstrap import percentiles, resample_counts
from totalml.evaluation.interval import Interval
from totalml.evaluation.regression.values import Values
from totalml.evaluation.regression.weighted import Figures, WeightedFigures

SEED = 0  # the same two runs give the same interval


def paired_differences(
    targets: Sequence[str], ours: Values, theirs: Values, resamples: int, confidence: float
) -> dict[str, Interval]:
    """Ours minus theirs, by the names of `Evaluation.figures`; undefined where one of them is.

    Args: ours, theirs: of the same samples in the same order, in the same deviations and seasons.
    """
    samples = len(ours.truth)
    both = [WeightedFigures(each) for each in (ours, theirs)]
    found = _difference(targets, *(figures.of(np.ones((1, samples), np.int64)) for figures in both))
    parts = [
        _difference(targets, *(figures.of(counts) for figures in both))
        for counts in resample_counts(samples, resamples, SEED, ours.together)
    ]
    named: dict[str, Interval] = {}
    for name, value in found.items():
        drawn = np.concatenate([part[name] for part in parts]) if parts else np.full(1, np.nan)
        low, high = percentiles(drawn, confidence)
        named[name] = Interval(_defined(value[0]), _defined(low[0]), _defined(high[0]))
    return named


def _difference(targets: Sequence[str], ours: Figures, theirs: Figures) -> dict[str, Floats]:
    """(R,) of each figure."""
    overall = {name: each - theirs.overall[name] for name, each in ours.overall.items()}
    return overall | {
        f"per_target.{target}.{name}": each[:, t] - theirs.per_target[name][:, t]
        for t, target in enumerate(targets)
        for name, each in ours.per_target.items()
    }


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
