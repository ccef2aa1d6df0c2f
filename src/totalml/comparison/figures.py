"""Metrics of two sides as text."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from totalml.report.number_format import IN_UNITS, MINUS, MISSING, SHARES, figure, interval, points, quantity

if TYPE_CHECKING:
    from totalml.comparison.metrics import MetricChange
    from totalml.evaluation.paired import Paired
    from totalml.evaluation.record import Interval


def metric(name: str, given: Interval | None) -> str:
    """`95.5 % (92.9 to 97.7 %)`."""
    if given is None or given.value is None:
        return MISSING
    bounds = interval(name, given)
    return figure(name, given.value) + (f" ({bounds})" if bounds else "")


def difference(given: MetricChange) -> str:
    """`+2.1 points` of a share, `+5,859` of an error, `−0.012` of anything else."""
    if given.difference is None:
        return ""
    if given.difference == 0:
        return "same"
    if given.name in SHARES:
        return f"{points(given.difference)} points"
    if given.name in IN_UNITS:
        return quantity(given.difference, sign="+")
    return f"{given.difference:+.3f}".replace("-", MINUS)


def step(name: str, size: float) -> str:
    """`+1.5` points of a share, or in the figure's own unit."""
    return points(size) if name in SHARES else quantity(size, sign="+")


def step_interval(name: str, given: Interval) -> str:
    """`−20.1 to −3.0`, empty without bounds."""
    return "" if given.low is None or given.high is None else f"{step(name, given.low)} to {step(name, given.high)}"


def paired_in_words(paired: Paired) -> str:
    """`better by 2.1 points (0.4 to 3.9)`."""
    if not paired.gained and not paired.lost:
        return f"{'right on' if paired.share else 'the same answers for'} the same {paired.count:,} test samples"
    if not paired.clear:
        return f"no clear difference in {paired.figure} ({paired_bounds(paired)})"
    low, high = sorted((abs(paired.low), abs(paired.high)))
    size, unit = _size(paired, abs(paired.difference)), "points" if paired.share else f"in {paired.figure}"
    word = "better" if paired.difference > 0 else "worse"
    return f"{word} by {size} {unit} ({_size(paired, low)} to {_size(paired, high)})"


def paired_told(paired: Paired) -> str:
    """`better by 2.1 points (0.4 to 3.9), 12 gained and 4 lost`."""
    gained, lost = moved(paired.share)
    return f"{paired_in_words(paired)}, {paired.gained:,} {gained} and {paired.lost:,} {lost}"


def paired_as_json(paired: Paired) -> dict[str, Any]:
    return {**asdict(paired), "in_words": paired_in_words(paired)}


def paired_bounds(paired: Paired) -> str:
    """`−1.2 to +3.0 points`, `−40 to +1,200`."""
    low, high = ((points if paired.share else _signed)(each) for each in (paired.low, paired.high))
    return f"{low} to {high}{' points' if paired.share else ''}"


def moved(share: bool) -> tuple[str, str]:
    """What samples are called that only the new one gets right, and only the old one; or answers better."""
    return ("gained", "lost") if share else ("closer", "farther off")


def _size(paired: Paired, value: float) -> str:
    return f"{100 * value:.1f}" if paired.share else quantity(value)


def _signed(value: float) -> str:
    return quantity(value, sign="+")
