"""Bounds of the difference of two shares of the same samples, such as the accuracy of two models.

Closed forms of independent shares would be too wide, and a percentile bootstrap has no width where few samples differ.
"""

from collections.abc import Callable
from math import sqrt
from statistics import NormalDist

HALVINGS = 60


def paired_bounds(gained: int, lost: int, count: int, confidence: float) -> tuple[float, float]:
    """Bounds of (gained - lost) / count; not without width even where nothing differs.

    The score interval, corrected for continuity, so that a difference is called sure no more often than stated.

    Args: gained, lost: samples that count in the new share only, in the old one only.
    Source: Tango 1998, with the correction of McNemar's test (Edwards 1948).
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    found = (gained - lost) / count
    low = _crossing(lambda gap: _score(gained, lost, count, gap) <= z, found, -1.0)
    high = _crossing(lambda gap: -_score(gained, lost, count, gap) <= z, found, 1.0)
    return low, high


def _score(gained: int, lost: int, count: int, gap: float) -> float:
    """How many standard errors the difference lies above `gap`, once its own are taken to be those under `gap`."""
    a = 2 * count
    b = -gained - lost + (2 * count - gained + lost) * gap
    c = -lost * gap * (1 - gap)
    only_old = (sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = count * (2 * only_old + gap * (1 - gap))
    distance = gained - lost - count * gap
    corrected = max(abs(distance) - 1, 0.0) if distance > 0 else -max(abs(distance) - 1, 0.0)
    return corrected / sqrt(variance) if variance > 0 else (0.0 if corrected == 0 else corrected * float("inf"))


def _crossing(compatible: Callable[[float], bool], inside: float, outside: float) -> float:
    """The last gap between the two that is compatible, by halving."""
    if compatible(outside):
        return outside
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if compatible(middle) else (inside, middle)
    return inside
