"""A figure and how sure it is."""

from dataclasses import dataclass, replace
from statistics import NormalDist


@dataclass(frozen=True)
class Interval:
    """A metric with its interval.

    Args:
        value: None where the metric is undefined, never NaN.
        low, high: bounds at the recipe's confidence; None without resamples or where undefined.
        note: why the value is undefined, or what it leaves out.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    note: str | None = None


def with_chance(metric: Interval, count: int, confidence: float) -> Interval:
    """Where resampling shows no spread because all samples are alike, the bounds of Wilson 1927.

    Thirty right answers out of thirty do not show that the thirty-first will be right.

    Args:
        metric: in 0..1.
        count: samples that it is a figure of.
    """
    if metric.value not in (0.0, 1.0) or not metric.low == metric.high == metric.value or not count:
        return metric
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    far = count / (count + z * z)
    return replace(metric, low=far) if metric.value else replace(metric, high=1 - far)
