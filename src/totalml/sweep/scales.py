"""Where a parameter's value, or the metric, lies on an axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from totalml.report.charts import ticks
from totalml.sweep.job_format import brief

# With fewer different values each is a mark of its own, also if they are numbers.
FEWEST_CONTINUOUS = 7
LOG_FROM = 20.0  # largest to smallest


@dataclass(frozen=True)
class Scale:
    """Args:
    place: value as written -> place on the axis in [0, 1].
    marks: (place, label), from left to right.
    """

    title: str
    place: Callable[[str], float]
    marks: tuple[tuple[float, str], ...]


def scale_of(title: str, values: Sequence[str]) -> Scale:
    """An axis for the values of a parameter."""
    given = numbers(values)
    if given is not None and len(set(given)) >= FEWEST_CONTINUOUS:
        return scale_of_numbers(title, given)
    different = list(dict.fromkeys(values))
    different = sorted(different, key=float) if given is not None else sorted(different)
    share = 1 / max(1, len(different) - 1)
    places = {value: number * share if len(different) > 1 else 0.5 for number, value in enumerate(different)}
    return Scale(title, places.__getitem__, tuple((place, brief(value)) for value, place in places.items()))


def numbers(values: Sequence[str]) -> list[float] | None:
    """All of them as finite numbers, or None."""
    try:
        found = [float(value) for value in values]
    except ValueError:
        return None
    return found if all(map(math.isfinite, found)) else None


def scale_of_numbers(title: str, given: Sequence[float], flipped: bool = False) -> Scale:
    """An axis on which distances count; a single value lies in its middle.

    Args:
        flipped: large numbers to the left.
    """
    low, high = min(given), max(given)
    log = low > 0 and high / low >= LOG_FROM
    bend: Callable[[float], float] = math.log10 if log else float

    def place(value: str) -> float:
        share = (bend(float(value)) - bend(low)) / (bend(high) - bend(low)) if high > low else 0.5
        return 1 - share if flipped else share

    marked = [low] if low == high else _powers(low, high) if log else ticks(low, high, 4)
    marks = sorted((place(repr(mark)), f"{mark:.4g}") for mark in marked)
    return Scale(title, place, tuple(marks))


def _powers(low: float, high: float) -> list[float]:
    """Powers of ten within the bounds; with fewer than three, also three times each."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    tens = [10.0**power for power in range(first, last + 1) if low <= 10.0**power <= high]
    if len(tens) > 2:
        return tens[:: math.ceil(len(tens) / 5)]
    return [mark for power in range(first, last + 1) for mark in (10.0**power, 3 * 10.0**power) if low <= mark <= high]
