"""Suites of deepchecks: which of its checks are asked, with which limits, and what a failed one does."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, model_validator

from totalml.component import Items, Section
from totalml.recipe.bounds import Positive

Level = Literal["warn", "stop"]


def _limit(value: Any) -> float | tuple[float, float]:
    if type(value) in (int, float):
        return float(value)
    if isinstance(value, list | tuple) and len(value) == 2 and all(type(end) in (int, float) for end in value):
        return float(value[0]), float(value[1])
    raise ValueError(f"expected a number, or two in a list, got {value!r}")


# One validator for both kinds, so that a mistake is told once.
Limit = Annotated[float | tuple[float, float], PlainValidator(_limit)]


class SuiteCondition(Section):
    """When a check of deepchecks counts as failed; it replaces what the suite asks by itself."""

    check: Annotated[str, Field(min_length=1)]  # such as DataDuplicates; one that the suite lacks is added to it
    condition: str | None = None  # such as ratio_less_or_equal; None: the check's only one, or the suite's own
    limits: dict[str, Limit] = Field(default={})  # such as max_ratio: 0.05; else deepchecks' own
    level: Level | None = None  # None: that of the suite


class SuiteRecipe(Section):
    skip: Items[str] = ()  # names of deepchecks' checks to leave out, e.g. ConflictingLabels
    conditions: Items[SuiteCondition] = ()
    level: Level = "warn"
    html: bool = False  # also write deepchecks' own page, some 13 MB, into the run's folder


class PictureSuiteRecipe(SuiteRecipe):
    samples: Positive = 5000  # of each split, chosen by chance, the same every time


class DeepchecksRecipe(Section):
    """Deepchecks' `model_evaluation` on the test predictions, beside metadata or pictures."""

    tabular: SuiteRecipe | None = None
    vision: PictureSuiteRecipe | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.tabular is None and self.vision is None:
            raise ValueError("set 'tabular', 'vision' or both, e.g. 'tabular: {}'")
        return self
