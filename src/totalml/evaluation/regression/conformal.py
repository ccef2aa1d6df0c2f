"""Intervals that hold the truth of a new sample as often as promised, whatever the model: split conformal.

Fitted on the validation split, which chose the epoch too; the promise is for samples like those of validation.
"""

from __future__ import annotations

import math

import numpy as np

from totalml.evaluation.arrays import Floats
from totalml.kinds import Reach

LEAST = 1e-9  # of what is said: an error of nothing at all is no share of it


def rank_of(coverage: float, samples: int) -> int:
    """Which of the sorted scores bounds the interval; above `samples` where they are too few.

    Source: Vovk et al. 2005; Lei et al. 2018: ceil((n + 1)(1 - alpha)).
    """
    # 0.9 * 10 is 9.000000000000002 in some orders of rounding, and the next rank would be one too many.
    return math.ceil((samples + 1) * coverage - 1e-9)


def least_samples(coverage: float) -> int:
    """Validation samples without which no interval can promise so much."""
    return math.ceil(coverage / (1 - coverage) - 1e-9)


def widening(scores: Floats, coverage: float) -> Floats:
    """(V, T) scores of the validation split -> (T,) by how much to widen; NaN where samples are too few.

    Args: scores: how far each truth lies outside of what was said; negative inside.
    """
    samples, targets = scores.shape
    rank = rank_of(coverage, samples)
    if rank > samples:
        return np.full(targets, np.nan)
    widened: Floats = np.sort(scores, axis=0)[rank - 1]
    return widened


def margins(truth: Floats, answered: Floats, coverage: float, reach: Reach) -> Floats:
    """(T,) by how much to widen what is put out, fitted on the validation split: (V, T) and (V, A).

    Where it is in proportion, as a share of what is said.

    Source: Lei et al. 2018, sec. 5.2: scores over their scale. Romano et al. 2019, eq. 6: quantiles are widened where
    they are too narrow, narrowed where too wide.
    """
    fitted = answered.reshape(len(answered), truth.shape[1], answered.shape[1] // truth.shape[1])
    outside = np.maximum(fitted[:, :, 0] - truth, truth - fitted[:, :, -1])
    return widening(outside / _scale(fitted, reach), coverage)


def widened(answers: Floats, margin: Floats, reach: Reach) -> tuple[Floats, Floats, Floats]:
    """(N, T) each: what is said, lower and upper bound, which never pass what is said.

    Args:
        answers: (N, T) values, or (N, T * 3) lower, middle and upper of each.
        margin: (T,), NaN where it is not known.
    """
    each = answers.reshape(len(answers), len(margin), answers.shape[1] // len(margin))
    said, far = each[:, :, each.shape[2] // 2], margin * _scale(each, reach)
    return said, np.minimum(each[:, :, 0] - far, said), np.maximum(each[:, :, -1] + far, said)


def intervals(
    answers: Floats, truth: Floats, answered: Floats, coverage: float, reach: Reach = "constant"
) -> tuple[Floats, Floats, Floats]:
    """What is said of some samples, with bounds fitted on others. Args: truth, answered: of the validation split."""
    return widened(answers, margins(truth, answered, coverage, reach), reach)


def _scale(each: Floats, reach: Reach) -> Floats:
    """(N, T) in which the reach of an interval is told, of (N, T, 1 or 3) answers."""
    said = each[:, :, each.shape[2] // 2]
    return np.ones_like(said) if reach == "constant" else np.maximum(np.abs(said), LEAST)
