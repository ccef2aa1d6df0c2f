"""What looking at slices came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from totalml.evaluation.interval import Interval


@dataclass(frozen=True)
class Slice:
    """Args:
    name: in words, `age group 41-60 and dim light`.
    where: column -> value, or bin of numbers.
    value, gap: of `Slices.figure`; the gap is to all other samples. Bounds hold for all slices of the family at once.
    p: chance of such a gap in a model equally good everywhere, corrected for the number of slices looked at.
    worse: whether that chance is below the recipe's error rate and the gap at least its least gap.
    bias: mean of what was said minus the truth, where answers are numbers.
    """

    name: str
    where: dict[str, str]
    count: int
    value: Interval
    gap: Interval
    p: float
    worse: bool
    bias: Interval | None = None

    @property
    def rest(self) -> float:
        """The same of all other samples."""
        return (self.value.value or 0.0) - (self.gap.value or 0.0)


@dataclass(frozen=True)
class Slices:
    """Args:
    declared: every value of the recipe's columns that has enough samples, worst first.
    found: what the search calls worse; if nothing, what came closest.
    searched: slices and combinations of two that the search looked at.
    too_small: words of declared groups that have too few samples.
    left_out: column that the search left out -> why.
    figure: what slices are told by; `metrics.json` calls their value so.
    """

    declared: tuple[Slice, ...]
    found: tuple[Slice, ...]
    searched: int
    too_small: tuple[str, ...]
    left_out: dict[str, str]
    error_rate: float
    min_support: int
    confidence: float
    figure: str = "accuracy"
    lower_is_better: bool = False

    @property
    def looked_at(self) -> int:
        return len(self.declared) + self.searched

    def worse(self) -> list[Slice]:
        """Those that are worse, each once, widest gap first."""
        told = {one.name: one for one in (*self.declared, *self.found) if one.worse}
        sign = -1 if self.lower_is_better else 1
        return sorted(told.values(), key=lambda one: sign * (one.gap.value or 0.0))

    def figures(self) -> dict[str, Interval]:
        """`slices.<name>.accuracy` and `.gap`; of numbers `.mae`, `.mae.gap` and `.bias`; of slices found, too."""
        gap = "gap" if self.figure == "accuracy" else f"{self.figure}.gap"  # a gap of shares is told in points
        named: dict[str, Interval] = {}
        for name, one in {one.name: one for one in (*self.found, *self.declared)}.items():
            named |= {f"slices.{name}.{self.figure}": one.value, f"slices.{name}.{gap}": one.gap}
            named |= {f"slices.{name}.bias": one.bias} if one.bias else {}
        return named

    def as_json(self) -> dict[str, Any]:
        families = {
            family: [self._renamed(asdict(one)) for one in getattr(self, family)] for family in ("declared", "found")
        }
        return asdict(self) | families

    def _renamed(self, values: dict[str, Any]) -> dict[str, Any]:
        renamed = {self.figure if key == "value" else key: value for key, value in values.items()}
        return renamed if values["bias"] else {key: value for key, value in renamed.items() if key != "bias"}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        figure = values.get("figure", "accuracy")
        families = {name: tuple(_slice(one, figure) for one in values[name]) for name in ("declared", "found")}
        return cls(**{**values, **families, "too_small": tuple(values["too_small"])})


def _slice(values: Mapping[str, Any], figure: str) -> Slice:
    told = {("value" if key == figure else key): value for key, value in values.items()}
    return Slice(**{**told, **{key: Interval(**told[key]) for key in ("value", "gap", "bias") if told.get(key)}})
