"""What optuna may choose from: Hydra's grammar for sweeps as optuna's distributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

MAX_VALUES = 10_000  # of one key
DIGITS = 4  # of a chosen number: more would not change a result worth naming, and nobody could type them


@dataclass(frozen=True)
class Choice:
    """One of some values, in Hydra's spelling."""

    key: str
    values: tuple[str, ...]

    def distribution(self) -> BaseDistribution:
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.values)

    def corners(self) -> tuple[str, ...]:
        return self.values

    def written(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True)
class Number:
    """A number from `low` to `high`, both included; whole if both are; on a logarithmic scale if `log`."""

    key: str
    low: float
    high: float
    step: float | None = None
    log: bool = False

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def distribution(self) -> BaseDistribution:
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.whole:
            return IntDistribution(int(self.low), int(self.high), self.log, int(self.step or 1))
        return FloatDistribution(self.low, self.high, self.log, self.step)

    def corners(self) -> tuple[str, ...]:
        return self.written(self.low), self.written(self.high)

    def written(self, value: Any) -> str:
        if self.whole:
            return str(int(value))
        return repr(min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high))


Dimension = Choice | Number


def dimension(override: Override) -> Dimension:
    """What one override of the form `key=<sweep>` lets optuna choose from.

    Raises: ValueError: a range that holds nothing, or too much.
    """
    key, value = override.get_key_element(), override.value()
    if isinstance(value, IntervalSweep):
        return Number(key, value.start, value.end, log="log" in value.tags)  # type: ignore[arg-type]
    if isinstance(value, RangeSweep):
        points = list(islice(value.range(), MAX_VALUES + 1)) if value.step else []
        if not 0 < len(points) <= MAX_VALUES:
            raise ValueError(f"{override.input_line!r} holds {'too many values' if points else 'no value'}")
        return Number(key, points[0], points[-1], step=value.step, log="log" in value.tags)
    return Choice(key, tuple(override.sweep_string_iterator()))


def corners(dimensions: Sequence[Dimension]) -> list[dict[str, str]]:
    """Points that touch every bound and every choice once, with as few combinations as that takes.

    Returns: full assignments, key -> value.
    """
    most = max((len(each.corners()) for each in dimensions), default=1)
    return [{each.key: each.corners()[min(n, len(each.corners()) - 1)] for each in dimensions} for n in range(most)]
