"""Figures of each series of a panel."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from totalml.evaluation.arrays import Ints
from totalml.evaluation.interval import Interval
from totalml.evaluation.regression.values import Values
from totalml.evaluation.regression.weighted import WeightedFigures

FIGURES = ("mae", "bias", "mase", "skill", "coverage")
NOTES = {
    "mase": "no training sample of it stands a season after another",
    "skill": "no test sample of it stands a season after another",
    "coverage": "there are no intervals",
}


def per_series(values: Values, names: Sequence[str], codes: Ints) -> dict[str, dict[str, Interval]]:
    """Series of the test split -> its figures; of several targets their mean.

    Without bounds: neighbours in time err alike, so that those of samples drawn one by one would promise too much.

    Args: codes: (N,) which of the names each sample is of.
    """
    found = {}
    for code in np.unique(codes).tolist() if names else ():
        rows = np.flatnonzero(codes == code)
        figures = WeightedFigures(values.taken(rows)).of(np.ones((1, len(rows)), np.int64)).overall
        found[names[code]] = {name: _defined(name, float(figures[name][0])) for name in FIGURES}
    return found


def _defined(name: str, value: float) -> Interval:
    return Interval(None, note=NOTES.get(name)) if math.isnan(value) else Interval(value)
