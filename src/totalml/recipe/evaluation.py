"""`evaluation`: how good the model is, for whom, and how far to trust it."""

from itertools import pairwise
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, InstanceOf, ValidationInfo, field_validator, model_validator

from totalml.component import ForeignComponent, Items, Misfit, Section
from totalml.recipe.bounds import Label, Name, Positive, Share
from totalml.recipe.plugged import in_socket
from totalml.recipe.suites import DeepchecksRecipe
from totalml.sockets import METRIC, OWN_METRIC
from totalml.target import did_you_mean

T = TypeVar("T")

# Of an evaluation in depth.
PARTS = ("slices", "fairness", "calibration", "explanation", "robustness", "out_of_distribution", "deepchecks")
KINDS = ("blur", "noise", "dark", "jpeg", "rotation")


def _whole(value: Any) -> Any:
    """`4.0` means 4, inside of a list or a mapping too."""
    return int(value) if type(value) is float and value.is_integer() else value


Edges = Annotated[list[float], Field(min_length=1)]
Part = Annotated[float, Field(gt=0, le=0.5)]
Level = Annotated[float, Field(gt=0, le=255)]
Stops = Annotated[float, Field(gt=0, le=10)]
Quality = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=95)]
Degrees = Annotated[float, Field(gt=0, le=180)]
Strengths = Annotated[Items[T], Field(min_length=5, max_length=5)]
Bits = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=255)]
EVERYWHERE_ELSE, SUBJECT = "outside", "subject"  # names that figures of explanations give to what is no part


OwnMetric = Annotated[InstanceOf[ForeignComponent], in_socket(METRIC, OWN_METRIC)]


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
    costs: dict[Label, dict[Label, float]] | None = None  # label -> what is said -> cost; for the operating threshold


class ExplanationRecipe(Section):
    """What the model looks at; where the source draws masks, how much of that lies on what."""

    parts: dict[Name, Bits] = Field(default={})  # part -> bits of the mask; a pixel with any of them shows it
    subject: Items[str] = ()  # the parts that the model ought to look at

    @model_validator(mode="after")
    def _subject_is_a_part(self) -> Self:
        for name in (EVERYWHERE_ELSE, SUBJECT):
            if name in self.parts:
                raise Misfit(f"{name!r} has a meaning of its own here; name the part in another way", "parts", name)
        for name in self.subject:
            if name not in self.parts:
                hint = did_you_mean(name, list(self.parts)) or f"; there are: {', '.join(self.parts) or 'none'}"
                raise Misfit(f"{name!r} is none of the parts{hint}", "subject")
        return self


class RobustnessRecipe(Section):
    """How accuracy falls as pictures get worse, each way in five strengths, the mildest first; null leaves one out."""

    samples: Positive = 500  # of the test split, evenly chosen; each is looked at 26 times
    blur: Strengths[Part] | None = (0.005, 0.01, 0.02, 0.03, 0.05)  # deviation of the Gaussian, share of the side
    noise: Strengths[Level] | None = (5.0, 10.0, 20.0, 35.0, 50.0)  # deviation, grey levels of 255
    dark: Strengths[Stops] | None = (0.5, 1.0, 2.0, 3.0, 4.0)  # stops of exposure: each is half of the light
    jpeg: Strengths[Quality] | None = (50, 30, 18, 10, 5)  # quality, libjpeg's scale
    rotation: Strengths[Degrees] | None = (2.0, 5.0, 10.0, 15.0, 20.0)  # degrees, to either side

    def kinds(self) -> dict[str, tuple[float, ...]]:
        """Strengths of each way that the recipe asks for."""
        return {name: strengths for name in KINDS if (strengths := getattr(self, name)) is not None}

    @model_validator(mode="after")
    def _worse_and_worse(self) -> Self:
        for name, strengths in self.kinds().items():
            sign = -1 if name == "jpeg" else 1
            if any(sign * after <= sign * before for before, after in pairwise(strengths)):
                raise Misfit(f"each strength must be worse than the one before, got {list(strengths)}", name)
        if not self.kinds():
            raise ValueError("leave one way of getting worse, or set 'robustness: null'")
        return self


class OutOfDistributionRecipe(Section):
    """A score for each picture: how little it looks like those of training."""

    false_alarms: Annotated[float, Field(gt=0, lt=0.5)] = 0.05  # share of pictures like those of training to flag
    fit_samples: Positive = 5000  # of the training split, evenly chosen
    strangers: Positive = 200  # test pictures, evenly chosen, that are turned into what is no such picture


class EvaluationRecipe(Section):
    depth: Literal["metrics", "full"] = "full"  # metrics: without any of the parts below that can be null
    positive: Label | None = None  # the class that binary metrics look for; None: the last label
    gold_column: str | None = None  # metadata column with the true label, where the given labels are noisy
    calibration_bins: Annotated[int, Field(ge=2, le=100)] = 15
    bootstrap: Annotated[int, Field(ge=0, le=100_000)] = 1000  # resamples; 0: no intervals
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    metrics: dict[Name, OwnMetric] = Field(default={})  # further ones by name, of torchmetrics or of the recipe's own
    slices: SlicesRecipe | None = SlicesRecipe()
    fairness: FairnessRecipe | None = None
    calibration: CalibrationRecipe | None = CalibrationRecipe()
    explanation: ExplanationRecipe | None = ExplanationRecipe()
    robustness: RobustnessRecipe | None = RobustnessRecipe()
    out_of_distribution: OutOfDistributionRecipe | None = OutOfDistributionRecipe()
    deepchecks: DeepchecksRecipe | None = None

    @field_validator(*PARTS)
    @classmethod
    def _in_depth(cls, part: Section | None, info: ValidationInfo) -> Section | None:
        """A part that will not be looked at does not count for the config hash either."""
        return None if info.data.get("depth") == "metrics" else part
