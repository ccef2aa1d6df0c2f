"""Metrics of two sides as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.report.number_format import MISSING, SHARES, figure, interval, points

if TYPE_CHECKING:
    from totalml.comparison.metrics import MetricChange
    from totalml.evaluation.record import Interval


def metric(name: str, given: Interval | None) -> str:
    """`95.5 % (92.9 to 97.7 %)`."""
    if given is None or given.value is None:
        return MISSING
    bounds = interval(name, given)
    return figure(name, given.value) + (f" ({bounds})" if bounds else "")


def difference(given: MetricChange) -> str:
    """`+2.1 points` of a share, `-0.012` of anything else."""
    if given.difference is None:
        return ""
    if given.difference == 0:
        return "same"
    return f"{100 * given.difference:+.1f} points" if given.name in SHARES else f"{given.difference:+.3f}"


def step(name: str, size: float) -> str:
    """`+1.5` points of a share, or in the figure's own unit."""
    return points(size) if name in SHARES else f"{size:+.3g}".replace("-", "\N{MINUS SIGN}")


def step_interval(name: str, given: Interval) -> str:
    """`−20.1 to −3.0`, empty without bounds."""
    return "" if given.low is None or given.high is None else f"{step(name, given.low)} to {step(name, given.high)}"
