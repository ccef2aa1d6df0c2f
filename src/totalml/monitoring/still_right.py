"""Whether the model still is as right as validation allows, asked of labels for as long as one likes."""

from __future__ import annotations

from dataclasses import dataclass

from totalml.deployment.sequential import more_until, share_bounds


@dataclass(frozen=True)
class StillRight:
    """Args:
    right: whether the loss is within the margin of the validation's; None: not decided yet.
    low, high: between which the loss lies.
    more: labels that would decide, if they are like those so far; None: no number would, or it is decided.
    """

    right: bool | None
    low: float
    high: float
    more: int | None


def judged_right(total: float, count: int, allowed: float, alpha: float, most: float = 1.0) -> StillRight:
    """Whether a mean loss is at most `allowed`.

    Args:
        total: sum of (count,) losses times their weights, each 0..most.
        alpha: the probability that it is ever said wrongly, of one loss that does not change.
    """

    def bounds(times: float) -> tuple[float, float]:
        low, high = share_bounds(min(total / most, count) * times, count * times, alpha)
        return min(low * most, 1.0), min(high * most, 1.0)

    def decided(times: float) -> bool:
        low, high = bounds(times)
        return high <= allowed or low > allowed

    low, high = bounds(1.0)
    if decided(1.0):
        return StillRight(high <= allowed, low, high, None)
    return StillRight(None, low, high, more_until(decided, count))
