"""Every figure for many weightings of the samples at once: a few matrix products, no loop over metric calls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from totalml.evaluation.arrays import Floats, mean_of_defined, ratio
from totalml.evaluation.bootstrap import Counts, resample_counts
from totalml.evaluation.regression.values import Values, mean_over_targets

IN_UNITS = ("mae", "rmse", "bias", "interval_width")
# Of the squares of all samples; what rounding leaves where all truths of a resample are alike.
NO_SPREAD = 1e-12


@dataclass(frozen=True)
class Figures:
    """Of R weightings; NaN where undefined.

    Args:
        overall: name -> (R,); of several targets the mean, in deviations where the figure has a unit.
        per_target: name -> (R, T).
    """

    overall: dict[str, Floats]
    per_target: dict[str, Floats]


class WeightedFigures:
    """Precomputed columns of one set of values."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._centred = values.truth - values.truth.mean(axis=0)  # so that no digits are lost in squares
        inside = (values.truth >= values.low) & (values.truth <= values.high)
        self._inside = np.where(np.isnan(values.low), np.nan, inside)
        self._scaled = np.abs(values.errors) / values.seasonal_error
        self._naive = np.abs(values.before - values.truth)
        self._beside = np.where(np.isnan(self._naive), np.nan, np.abs(values.errors))

    def of(self, counts: Counts) -> Figures:
        """Args: counts: (R, N) how often each sample stands in each resample; a row adds up to more than 0."""
        values, errors = self._values, self._values.errors
        samples = counts.sum(axis=1, keepdims=True)
        squares = counts @ errors**2
        spread = counts @ self._centred**2 - (counts @ self._centred) ** 2 / samples
        least = NO_SPREAD * (self._centred**2).sum(axis=0)
        mae = counts @ np.abs(errors) / samples
        per_target = {
            "mae": mae,
            "rmse": np.sqrt(squares / samples),
            "r2": 1 - ratio(squares, np.where(spread > least, spread, 0.0)),
            "bias": counts @ errors / samples,
            "mase": _mean_of_defined(counts, self._scaled),
            "skill": 1 - ratio(_mean_of_defined(counts, self._beside), _mean_of_defined(counts, self._naive)),
            "coverage": counts @ self._inside / samples,
            "interval_width": counts @ (values.high - values.low) / samples,
        }
        return Figures({name: self._overall(name, each) for name, each in per_target.items()}, per_target)

    def _overall(self, name: str, figures: Floats) -> Floats:
        if name in IN_UNITS:
            return mean_over_targets(figures, self._values.deviation)
        return mean_of_defined(figures)


def bootstrap(values: Values, resamples: int, seed: int) -> Figures:
    """The figures of `resamples` resamples; the same for the same seed on every machine."""
    figures = WeightedFigures(values)
    parts = [figures.of(counts) for counts in resample_counts(len(values.truth), resamples, seed, values.together)]
    names = [*parts[0].overall]
    return Figures(
        {name: np.concatenate([part.overall[name] for part in parts]) for name in names},
        {name: np.concatenate([part.per_target[name] for part in parts]) for name in names},
    )


def _mean_of_defined(counts: Counts, values: Floats) -> Floats:
    """(R, N) and (N, T) -> (R, T), without the samples that are NaN; NaN where none is left."""
    known = ~np.isnan(values)
    return ratio(counts @ np.where(known, values, 0.0), counts @ known)
