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
    accuracy, gap: the latter minus that of all other samples; bounds hold for all slices of the family at once.
    p: chance of such a gap in a model equally good everywhere, corrected for the number of slices looked at.
    worse: whether that chance is below the recipe's error rate and the gap at least its least gap.
    """

    name: str
    where: dict[str, str]
    count: int
    accuracy: Interval
    gap: Interval
    p: float
    worse: bool


@dataclass(frozen=True)
class Slices:
    """Args:
    declared: every value of the recipe's columns that has enough samples, worst first.
    found: what the search calls worse; if nothing, what came closest.
    searched: slices and combinations of two that the search looked at.
    too_small: words of declared groups that have too few samples.
    left_out: column that the search left out -> why.
    """

    declared: tuple[Slice, ...]
    found: tuple[Slice, ...]
    searched: int
    too_small: tuple[str, ...]
    left_out: dict[str, str]
    error_rate: float
    min_support: int
    confidence: float

    @property
    def looked_at(self) -> int:
        return len(self.declared) + self.searched

    def worse(self) -> list[Slice]:
        """Those that are worse, each once, widest gap first."""
        told = {one.name: one for one in (*self.declared, *self.found) if one.worse}
        return sorted(told.values(), key=lambda one: one.gap.value or 0.0)

    def figures(self) -> dict[str, Interval]:
        """`slices.<name>.accuracy` and `.gap`, of slices that were found, too."""
        looked_at = {one.name: one for one in (*self.found, *self.declared)}
        kinds = ("accuracy", "gap")
        return {f"slices.{name}.{kind}": getattr(one, kind) for name, one in looked_at.items() for kind in kinds}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        families = {name: tuple(_slice(one) for one in values[name]) for name in ("declared", "found")}
        return cls(**{**values, **families, "too_small": tuple(values["too_small"])})


def _slice(values: Mapping[str, Any]) -> Slice:
    return Slice(**{**values, "accuracy": Interval(**values["accuracy"]), "gap": Interval(**values["gap"])})
