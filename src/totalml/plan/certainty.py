"""How sure a figure is that each member of an ensemble gives, few as they are."""

from statistics import NormalDist

import numpy as np

from totalml.evaluation.arrays import Floats
from totalml.evaluation.interval import Interval

LEAST_MEMBERS = 4  # the expansion below is off by 2 % for four, and by less for more


def student(confidence: float, members: int) -> float:
    """Half the width of an interval around the mean of so many members, in their deviations.

    The quantile of Student's t with members - 1 degrees of freedom, expanded around the normal one.

    Source: Abramowitz and Stegun 1964, 26.7.5.
    """
    z, v = NormalDist().inv_cdf((1 + confidence) / 2), members - 1
    terms = (
        z,
        (z**3 + z) / (4 * v),
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2),
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3),
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4),
    )
    return sum(terms)


def interval_of(values: Floats, confidence: float) -> Interval:
    """Args: values: (K,) by member; without bounds where they are fewer than `LEAST_MEMBERS`."""
    mean = float(values.mean())
    if len(values) < LEAST_MEMBERS:
        return Interval(mean)
    far = student(confidence, len(values)) * float(values.std(ddof=1))
    return Interval(mean, mean - far, mean + far)


def others(values: Floats) -> Floats:
    """(..., K) the mean of all members but each."""
    count = values.shape[-1]
    return (values.sum(axis=-1, keepdims=True) - values) / (count - 1) if count > 1 else np.zeros_like(values)
