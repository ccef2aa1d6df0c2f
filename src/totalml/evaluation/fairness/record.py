"""What comparing groups of people came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from totalml.evaluation.interval import Interval


@dataclass(frozen=True)
class GroupFigure:
    """One figure of one group, for one class; of one target where answers are numbers: mae and bias.

    Args:
        figure: selection_rate (how often the model says the class), true_positive_rate (where the label says so),
            false_positive_rate (where it does not), calibration (mean probability of the class minus its share).
        group: in words.
        count: samples that the figure is a share of.
        value, gap: the latter minus the same of all other samples; bounds hold for all gaps looked at, all at once.
        counts: whether the gap's nearer bound is beyond the recipe's tolerance, and both sides have enough samples.
    """

    figure: str
    column: str
    group: str
    label: str
    count: int
    value: Interval
    gap: Interval
    counts: bool

    @property
    def rest(self) -> float:
        """The same of all other samples."""
        return (self.value.value or 0.0) - (self.gap.value or 0.0)


@dataclass(frozen=True)
class Fairness:
    """Args:
    figures: of every group and class; a group below the least support has its values and no gap.
    looked_at: gaps that have enough samples.
    """

    figures: tuple[GroupFigure, ...]
    looked_at: int
    tolerance: float
    min_support: int
    confidence: float

    def gaps(self) -> list[GroupFigure]:
        """Those that count, widest first."""
        return sorted((one for one in self.figures if one.counts), key=lambda one: -abs(one.gap.value or 0.0))

    def by_name(self) -> dict[str, Interval]:
        """`fairness.<column>.<group>.<label>.<figure>`, and the same with `.gap`."""
        names = [f"fairness.{one.column}.{_bare(one)}.{one.label}.{one.figure}" for one in self.figures]
        values = {name: one.value for name, one in zip(names, self.figures, strict=True)}
        return values | {f"{name}.gap": one.gap for name, one in zip(names, self.figures, strict=True)}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(**{**values, "figures": tuple(_figure(one) for one in values["figures"])})


def _bare(one: GroupFigure) -> str:
    """`41-60` of `age group 41-60`."""
    spoken = one.column.replace("_", " ").strip()
    return one.group.removeprefix(f"{spoken} ") or one.group


def _figure(values: Mapping[str, Any]) -> GroupFigure:
    return GroupFigure(**{**values, "value": Interval(**values["value"]), "gap": Interval(**values["gap"])})
