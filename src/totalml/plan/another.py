"""Another plan from the curves of one that was made: with another budget, or within other bounds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, PlainValidator, ValidationError, model_validator

from totalml.component import Section
from totalml.errors import EvaluationError, RecipeError
from totalml.plan.advise import Advice, Asked, advise
from totalml.plan.lever import spent
from totalml.plan.record import Plan
from totalml.recipe.plan import FREE, SAME, Budget, budget_of
from totalml.target import did_you_mean
from totalml.validate import explain


class Bound(Section):
    """Times what was used; as the plan was made where it is left out."""

    least: Annotated[float, Field(ge=0)] | None = None
    most: Annotated[float, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _ascends(self) -> Self:
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError(f"least is {self.least:g}, which is more than most, {self.most:g}")
        return self


class Question(Section):
    """Args: budget: as in a recipe; None: that of the plan as made."""

    budget: Annotated[Budget | None, PlainValidator(lambda value: value if value is None else budget_of(value))] = None
    levers: dict[str, Bound] = Field(default={})

    @classmethod
    def read(cls, values: Any, levers: Collection[str]) -> Self:
        """Args: levers: of the plan.

        Raises: RecipeError: it is no such question; all mistakes at once.
        """
        if not isinstance(values, Mapping):
            raise RecipeError(f"a question holds keys: {', '.join(cls.model_fields)}; got {values!r:.80}")
        asked = values.get("levers")
        unknown = [name for name in asked if name not in levers] if isinstance(asked, Mapping) else []
        mistakes = [f"levers: there is no {name!r}{did_you_mean(name, levers) or _there(levers)}" for name in unknown]
        try:
            question = cls.model_validate(values)
        except ValidationError as error:
            mistakes = [*(mistake.message for mistake in explain(error, cls)), *mistakes]
        if mistakes:
            raise RecipeError(*mistakes)
        return question


def _there(levers: Collection[str]) -> str:
    return f"; there are: {', '.join(levers)}"


def another(plan: Plan, question: Question) -> tuple[Advice, Advice | None]:
    """As `advise`; what levers bring together is the sum of what each brings.

    Args: question: of levers that the plan has.
    Raises: RecipeError: bounds beyond those that it was made in, between which no factor is known, or a budget that is
        less than the least.
    """
    known = {lever.name: (lever.factors[0], lever.factors[-1]) for lever in plan.levers}
    bounds, mistakes = dict(known), []
    for name, bound in question.levers.items():
        low, high = known[name]
        least, most = (end if given is None else given for given, end in ((bound.least, low), (bound.most, high)))
        if least < low or most > high or least > most:
            told = f"levers.{name}: what would come of it is known from {low:g} to {high:g} times what was used"
            mistakes.append(f"{told}; got {least:g} to {most:g}")
        bounds[name] = (least, most)
    if mistakes:
        raise RecipeError(*mistakes)
    try:
        return advise(Asked(plan.levers, plan.value, _budget(plan, question), plan.confidence, bounds))
    except EvaluationError as error:  # the plan was made, so that only what is asked can be wrong
        raise RecipeError(str(error)) from error


def _budget(plan: Plan, question: Question) -> float | None:
    if question.budget is None:
        return plan.budget
    if question.budget == FREE:
        return None
    return spent(plan.levers, {}) if question.budget == SAME else float(question.budget)
