"""The whole shape of a file in `deployments/`."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from totalml.component import Items, Misfit, Section
from totalml.deployment.stages import CANARY, LIVE, SHADOW
from totalml.identity import DIGEST
from totalml.prediction_log.settings import LogSettings
from totalml.recipe.bounds import NAME, Name, Positive, Share
from totalml.recipe.gates import GateRecipe
from totalml.recipe.monitoring import MonitoringRecipe
from totalml.target import did_you_mean

ENDINGS = (".yaml", ".yml")  # by which a file of `deployments/` is told from a release
SHADOW_FIGURES = ("agreement", "shift", "failures", "errors")


def _is_release(text: str) -> str:
    if not DIGEST.fullmatch(text) and not NAME.fullmatch(text):
        raise ValueError(f"expected an alias such as production, or a whole bundle hash blake3:..., got {text!r}")
    return text


def is_alias(reference: str) -> bool:
    """Or else a bundle hash."""
    return not DIGEST.fullmatch(reference)


Reference = Annotated[str, AfterValidator(_is_release)]


def _is_of_shadows(gate: GateRecipe) -> GateRecipe:
    if gate.metric not in SHADOW_FIGURES:
        hint = did_you_mean(gate.metric, SHADOW_FIGURES) or f"; there are: {', '.join(SHADOW_FIGURES)}"
        raise Misfit(f"traffic has no figure {gate.metric!r}{hint}", "metric")
    if gate.compares:
        raise Misfit("give a number; all of it is against what answers already")
    if gate.undecided == "pass":
        raise Misfit("leave it out; an undecided gate waits for more requests", "undecided")
    return gate


ShadowGate = Annotated[GateRecipe, AfterValidator(_is_of_shadows)]


class Shadow(Section):
    """The first stage: the challenger scores the same inputs, unseen.

    Args:
        gates: on `agreement`, share of answers in which both say the same; `shift`, how far the score that moved most
            did on average; `failures` and `errors` against labels, how much more often it was the challenger's.
    """

    gates: Annotated[Items[ShadowGate], Field(min_length=1)] = (
        GateRecipe(metric="agreement", at_least=0.9),
        GateRecipe(metric="failures", at_most=0.01),
    )


class MarginsRecipe(Section):
    """How much worse is as good: differences of shares.

    Args:
        failures: requests that got no answer.
        slow: requests slower than nine in ten of what answers the rest.
        errors: answers that a label says are wrong; of numbers, further off than nine in ten of the rest.
    """

    failures: Share = 0.01
    slow: Share = 0.10
    errors: Share = 0.03


class CanaryRecipe(Section):
    """The second stage: the challenger answers a share of the requests, by the hash of their ids.

    Args:
        labels: whether it must be shown against labels too before it passes.
    """

    share: Annotated[float, Field(gt=0, le=0.5)] = 0.1
    margins: MarginsRecipe = MarginsRecipe()
    labels: bool = False


class ChallengerRecipe(Section):
    """A release that is to answer next, in stages: shadow, canary, live. One that fails is stopped whatever `advance`.

    Args:
        release: an alias, of which each new release is a challenger; or a bundle hash.
        shadow, canary: None: that stage is left out.
        advance: whether a stage that was passed is followed by the next one, or only said to be.
    """

    release: Reference = "candidate"
    shadow: Shadow | None = Shadow()
    canary: CanaryRecipe | None = CanaryRecipe()
    advance: Literal["auto", "propose"] = "propose"

    @property
    def stages(self) -> tuple[str, ...]:
        """In their order."""
        return (*([SHADOW] if self.shadow else []), *([CANARY] if self.canary else []), LIVE)

    def following(self, stage: str) -> str:
        """The stage that comes next; empty: none does."""
        return dict(pairwise(self.stages)).get(stage, "")

    @model_validator(mode="after")
    def _has_a_stage(self) -> Self:
        if self.shadow is None and self.canary is None:
            raise ValueError("a challenger needs a shadow or a canary; totalml promote does without")
        return self


class LimitsRecipe(Section):
    """What a replica takes; more is refused before it is read."""

    body_megabytes: Annotated[float, Field(gt=0, le=1024)] = 32.0
    samples: Positive = 64  # in a request
    megapixels: Annotated[float, Field(gt=0, le=10_000)] = 200.0  # of all pictures of a request together
    requests_at_once: Positive = 256
    body_seconds: Annotated[float, Field(gt=0, le=600)] = 20.0  # that a client may take to send a request


class Deployment(Section):
    """Args:
    release: what answers: an alias, which is followed; or a bundle hash, which stays.
    challenger: what is to answer next; None: nothing but what a person promotes.
    threshold: of the probability of the positive class; None: that of the release.
    token_variable: environment variable that holds the token callers must show; the token itself is never written here.
    monitoring: what services watch while they answer; None: nothing, and `totalml monitor` does as the recipe says.
    """

    model: Name
    release: Reference = "production"
    challenger: ChallengerRecipe | None = None
    threshold: Share | None = None
    log: LogSettings = LogSettings()
    token_variable: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,56}_TOKEN$")] = "TOTALML_TOKEN"  # noqa: S105
    limits: LimitsRecipe = LimitsRecipe()
    monitoring: MonitoringRecipe | None = None

    @model_validator(mode="after")
    def _can_be_watched(self) -> Self:
        if self.monitoring is not None and not self.log.predictions:
            raise Misfit("a monitor reads the predictions that are kept; leave them on", "log", "predictions")
        return self

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        if self.challenger is None:
            return self
        if not self.log.predictions:
            raise Misfit("a challenger is judged by the predictions that are kept; leave them on", "log", "predictions")
        if self.challenger.release == self.release:
            raise Misfit(f"{self.release} cannot take the place of itself", "challenger", "release")
        if self.challenger.advance == "auto" and not is_alias(self.release):
            raise Misfit(
                "auto needs 'release' to be an alias, which can be moved; a hash only changes in this file",
                "challenger",
                "advance",
            )
        return self

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")
