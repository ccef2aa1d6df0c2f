"""Passed, failed or undecided: where an interval lies with regard to a bound."""

import math
from typing import Literal

from totalml.evaluation.interval import Interval

Outcome = Literal["passed", "failed", "undecided"]
ORDER: tuple[Outcome, ...] = ("failed", "undecided", "passed")  # the worst first
ROUNDING = 1e-12  # 0.85 - 0.86 is a trifle below -0.01


def outcome(figure: Interval, low: float, high: float) -> Outcome:
    """Args:
    figure: with a value; without bounds the value alone counts.
    low, high: what is good enough, both included.
    """
    least, most = _ends(figure)
    if least >= low - ROUNDING and most <= high + ROUNDING:
        return "passed"
    return "failed" if most < low - ROUNDING or least > high + ROUNDING else "undecided"


def slack(figure: Interval, low: float, high: float) -> float:
    """How far the value is on the right side; below 0 on the wrong one."""
    value = figure.value or 0.0
    return min(value - low, high - value)


def samples_to_decide(figure: Interval, low: float, high: float, count: int) -> int | None:
    """About how many samples would take the interval off the bound, if the value stays.

    Its half widths shrink with the square root of the number of samples.

    Args: count: samples now.
    Returns: None where the value lies on a bound, so that no number would.
    """
    value, (least, most) = figure.value or 0.0, _ends(figure)
    # A value on the wrong side only has to leave the bound that it is beyond.
    bounds = [low] if value < low else [high] if value > high else [low, high]
    crossed = [bound for bound in bounds if least <= bound <= most]
    if not crossed or any(abs(value - bound) <= ROUNDING for bound in crossed):
        return None
    reach = [((value - least if bound < value else most - value) / abs(value - bound)) for bound in crossed]
    return math.ceil(count * max(reach) ** 2)


def _ends(figure: Interval) -> tuple[float, float]:
    value = figure.value or 0.0
    return (value, value) if figure.low is None or figure.high is None else (figure.low, figure.high)
