"""`evaluation`: how good the model is, for whom, and how far to trust it."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from totalml.component import Items, Misfit, Section
from totalml.recipe.bounds import Positive, Share
from totalml.recipe.suites import DeepchecksRecipe

PARTS = ("slices", "fairness", "calibration", "deepchecks")  # of an evaluation in depth
Edges = Annotated[list[float], Field(min_length=1)]


class SlicesRecipe(Section):
    """Groups of test samples to look at by themselves.

    `columns` and `search` name metadata columns, or `light`: dim, medium and bright pictures, a third each.
    """

    columns: Items[str] = ()  # every value of these, or bin of numbers, is a slice
    search: Items[str] | None = None  # find the worst pairs of values of these; None: of all that fit; []: no search
    edges: dict[str, Edges] = Field(default={})  # of bins of numbers; else quarters of the data
    min_support: Positive = 30  # samples; smaller slices are not looked at
    min_gap: Share = 0.02  # in accuracy, to all other samples; a smaller one is not told
    error_rate: Annotated[float, Field(gt=0, lt=1)] = 0.05  # chance that anything is told of a model good everywhere

    @model_validator(mode="after")
    def _edges_ascend(self) -> Self:
        for name, edges in self.edges.items():
            if any(after <= before for before, after in pairwise(edges)):
                raise Misfit(f"the edges of bins must ascend, got {edges}", "edges", name)
        return self


class FairnessRecipe(Section):
    """Whether the model treats groups of people alike."""

    columns: Annotated[Items[str], Field(min_length=1)]  # metadata columns that name the groups
    tolerance: Share = 0.1  # of any rate, to all others; a gap counts if even its nearer bound is beyond
    min_support: Positive = 30  # samples that a rate is a share of, in the group and in the rest


class CalibrationRecipe(Section):
    """How far the confidence can be trusted; fits on validation, and changes no prediction."""

    tolerance: Share = 0.05  # between mean confidence and accuracy, by the nearer bound
    costs: dict[str, dict[str, float]] | None = None  # label -> what is said -> cost; for the operating threshold


class EvaluationRecipe(Section):
    depth: Literal["metrics", "full"] = "full"  # metrics: without any of the parts below that can be null
    positive: str | None = None  # the class that binary metrics look for; None: the last label
    gold_column: str | None = None  # metadata column with the true label, where the given labels are noisy
    calibration_bins: Annotated[int, Field(ge=2, le=100)] = 15
    bootstrap: Annotated[int, Field(ge=0, le=100_000)] = 1000  # resamples; 0: no intervals
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    slices: SlicesRecipe | None = SlicesRecipe()
    fairness: FairnessRecipe | None = None
    calibration: CalibrationRecipe | None = CalibrationRecipe()
    deepchecks: DeepchecksRecipe | None = None

    @field_validator(*PARTS)
    @classmethod
    def _in_depth(cls, part: Section | None, info: ValidationInfo) -> Section | None:
        """A part that will not be looked at does not count for the config hash either."""
        return None if info.data.get("depth") == "metrics" else part
