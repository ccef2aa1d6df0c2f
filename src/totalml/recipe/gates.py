"""`gates`: what a model must show before it may be released."""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo, model_validator

from totalml.component import Section
from totalml.kinds import Task
from totalml.target import did_you_mean

PRODUCTION = "production"  # the alias that a gate can compare with
# Families of figures that do not depend on the task; None: what follows depends on the data or on another room.
FAMILIES: dict[str, tuple[str, ...] | None] = {
    "quality": None,
    "explanation": None,
    "robustness": None,
    "out_of_distribution": None,
    "plan": ("gain", "changes", "true_gain", "best_gain", "regret", "regret_share", "worse_than_nothing"),
}
ANY = "*"
BOUNDS = ("at_least", "at_most", "within")


def _metric(name: str, info: ValidationInfo) -> str:
    """Only where the context names the task: what was checked once, a run's own recipe, is read again without."""
    task = (info.context or {}).get("task")
    own = (info.context or {}).get("metrics", ())
    if isinstance(task, Task) and name not in own and (mistake := _mistake(name, task)):
        raise ValueError(mistake)
    return name


def _mistake(name: str, task: Task) -> str | None:
    """What is wrong with the name of a figure, as far as that can be known without data."""
    overall, families = task.metrics, {**task.families, **FAMILIES}
    first, *rest = name.split(".")
    if ANY in first:
        return None
    if first in overall and not rest:
        return None
    if first not in families:
        known = ", ".join((*overall, *(f"{family}.*" for family in families)))
        return f"there is no metric {name!r}{did_you_mean(first, (*overall, *families)) or f'; there are: {known}'}"
    endings = families[first]
    example = f"{first}.*.{endings[0]}" if endings and first not in ("calibration", "plan") else f"{first}.*"
    if not rest:
        return f"{name!r} is a family of metrics; name one, such as {example!r}"
    if endings is None or ANY in rest[-1] or rest[-1] in endings:
        return None
    return f"{name!r} ends in no figure of {first!r}{did_you_mean(rest[-1], endings) or _listed(endings)}"


def _listed(names: Sequence[str]) -> str:
    return f"; there are: {', '.join(names)}"


def _bound(value: Any) -> float | str | None:
    if value is None or value == PRODUCTION:
        return value
    if type(value) in (int, float) and math.isfinite(value):
        return float(value)
    raise ValueError(f"expected a number, or {PRODUCTION!r} for what is released now, got {value!r}")


# One validator for both kinds, so that a mistake is told once.
Bound = Annotated[float | str | None, PlainValidator(_bound)]


class GateRecipe(Section):
    """One condition, on a figure of this run or, with a `*` in its name, on every such figure.

    A figure with an interval passes if all of the interval is on the right side, and fails if all is on the wrong one.
    """

    metric: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_metric)]
    name: Annotated[str, Field(min_length=1, max_length=60)] | None = None  # None: the metric and its bound
    at_least: Bound = None  # a number, or `production`: the same figure of what is released now
    at_most: Bound = None
    within: Annotated[float, Field(ge=0)] | None = None  # this far from 0, on either side
    margin: float = 0.0  # against production: how much worse is still good enough; below 0: how much better it must be
    undecided: Literal["fail", "pass"] = "fail"  # what an interval on both sides of the bound means

    @property
    def title(self) -> str:
        return self.name or f"{self.metric} {self.rule} {self.bound if self.compares else f'{self.bound:g}'}"

    @property
    def rule(self) -> str:
        """`at least`, `at most` or `within`."""
        return next(key for key in BOUNDS if getattr(self, key) is not None).replace("_", " ")

    @property
    def bound(self) -> float | str:
        bound: float | str = getattr(self, self.rule.replace(" ", "_"))
        return bound

    @property
    def compares(self) -> bool:
        """Whether the bound is what production reaches."""
        return self.bound == PRODUCTION

    @property
    def good(self) -> tuple[float, float]:
        """Between which the figure is good enough, or its difference to production's."""
        against = -self.margin if self.rule == "at least" else self.margin
        bound = float(against if self.compares else self.bound)
        if self.rule == "at least":
            return bound, math.inf
        return (-math.inf if self.rule == "at most" else -bound), bound

    @property
    def family(self) -> str:
        return self.metric.partition(".")[0]

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        given = [key for key in BOUNDS if getattr(self, key) is not None]
        if len(given) != 1:
            has = f"has {' and '.join(given)}; make two gates of it" if given else "has none"
            raise ValueError(f"a gate needs one of at_least, at_most and within, and {self.metric!r} {has}")
        if self.margin and not self.compares:
            raise ValueError(f"'margin' goes with '{given[0]}: {PRODUCTION}'; change the bound itself")
        return self
