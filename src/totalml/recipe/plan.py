"""`plan`: how much of each lever to use, so that it earns most."""

import sys
from itertools import combinations
from typing import Annotated, Any, Literal, Self

from pydantic import Field, InstanceOf, PlainValidator, model_validator

from totalml.component import Misfit, Section, Where
from totalml.kinds import PlanTruth
from totalml.recipe.bounds import Duration, Name

SAME, FREE = "same", "free"
Budget = Literal["same", "free"] | float


def budget_of(value: Any) -> Any:
    """Raises: ValueError: it is neither a word that means one nor an amount."""
    # A union of its own would be told as two mistakes, one for each kind.
    if value in (SAME, FREE):
        return value
    if type(value) in (int, float) and 0 < value <= sys.float_info.max:  # a whole number may be beyond any float
        return float(value)
    raise ValueError(f"expected {SAME!r}, {FREE!r} or an amount above 0, got {value!r}")


class LeverRecipe(Section):
    """Something of which more or less may be done: numeric columns that it scales, and what it costs."""

    feature: Annotated[str, Field(min_length=1, max_length=200)]  # this numeric column, and those named after it
    cost: Annotated[str, Field(min_length=1, max_length=200)]  # metadata column: what each sample's use of it cost
    least: Annotated[float, Field(ge=0, le=1)] = 0.5  # times what was used
    most: Annotated[float, Field(ge=1, le=1000)] = 1.5
    unit: Annotated[str, Where] = ""  # of the cost

    @model_validator(mode="after")
    def _may_move(self) -> Self:
        if self.least == self.most:
            raise ValueError("least and most are both 1, so there is nothing to plan; let one of them differ")
        return self


class PlanRecipe(Section):
    value: Annotated[float, Field(gt=0)]  # what one unit of the target is worth, in the unit of the costs
    levers: Annotated[dict[Name, LeverRecipe], Field(min_length=1)]
    horizon: Duration | None = None  # the last so much of the test split is planned; None: all of it
    budget: Annotated[Budget, PlainValidator(budget_of)] = "same"  # free: whatever pays; or an amount
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.9
    truth: InstanceOf[PlanTruth] | None = None  # where it is known what would have come of any plan

    @model_validator(mode="after")
    def _levers_are_told_apart(self) -> Self:
        for (one, first), (other, second) in combinations(self.levers.items(), 2):
            if _meet(first.feature, second.feature):
                raise Misfit(f"{second.feature!r} is moved by the lever {one!r} already", "levers", other, "feature")
            if first.cost == second.cost:
                raise Misfit(f"{second.cost!r} is the cost of the lever {one!r} already", "levers", other, "cost")
            if first.unit != second.unit:
                told = f"costs are added up, and those of {one!r} are in {first.unit!r}, got {second.unit!r}"
                raise Misfit(told, "levers", other, "unit")
        return self

    @property
    def unit(self) -> str:
        """Of costs and of what is earned."""
        return next(iter(self.levers.values())).unit


def _meet(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
