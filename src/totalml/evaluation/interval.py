"""A figure and how sure it is."""

from dataclasses import dataclass


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
