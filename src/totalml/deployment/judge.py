"""Judge the challenger of a deployment again and again, and bring it into the stage that follows: an event each.

Any number of processes may do so: all read the same log, and of two that come to the same end one writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from totalml.deployment.canary import judge_canary
from totalml.deployment.deployment import is_alias
from totalml.deployment.deployments import PROPOSED, STAGED, Challenger, Deployments
from totalml.deployment.evidence import Evidence
from totalml.deployment.shadow import judge_shadow
from totalml.deployment.stages import CANARY, LIVE, STOPPED
from totalml.errors import RecipeError
from totalml.identity import short
from totalml.machine import user
from totalml.registry import Aliases, Promotion
from totalml.registry.aliases import POINTS
from totalml.release.bundle import open_bundle
from totalml.release.signature import Signature
from totalml.runs.attempt import now
from totalml.store.event import Draft

if TYPE_CHECKING:
    from totalml.deployment.deployment import ChallengerRecipe, Deployment
    from totalml.deployment.judgement import Judgement
    from totalml.store import Store
    from totalml.store.event import Event

WENT_LIVE = "went live"


class Judge:
    """Args:
    name: of the deployment.
    said: told a line for each thing that is done.
    """

    def __init__(self, store: Store, model: str, name: str, said: Callable[[str], None]) -> None:
        self.deployments = Deployments(store, model)
        self._aliases = Aliases(store, model)
        self._store, self._model, self._name, self._said = store, model, name, said
        self._evidence: Evidence | None = None

    @property
    def recipe(self) -> ChallengerRecipe:
        """What the file says of challengers. Raises: RecipeError: nothing any more."""
        recipe = self._deployment.challenger
        if recipe is None:
            raise RecipeError(f"deployment {self._name} names no challenger any more; look again")
        return recipe

    def look(self) -> Judgement | None:
        """Judge the challenger as it stands, and do what follows.

        Returns: None: there is none.
        Raises: StoreError: the store cannot be read or written.
        """
        challenger = self.deployments.challenger(self._name)
        if challenger is None or not challenger.takes_part:
            self._evidence = None
            return None
        judgement = self.judged(challenger)
        if judgement.outcome == "failed":
            self.move(challenger, STOPPED, "; ".join(judgement.decided_by), judgement)
        elif judgement.outcome == "passed":
            self._passed(challenger, judgement)
        return judgement

    def judged(self, challenger: Challenger) -> Judgement:
        """By what the log says until now."""
        recipe = self.recipe
        if self._evidence is None or self._evidence.challenger != challenger:
            signature = Signature.read(open_bundle(challenger.against, self._store))
            self._evidence = Evidence(self._store, self._model, challenger, signature)
        self._evidence.look()
        if challenger.stage == CANARY and recipe.canary:
            margins = recipe.canary.margins.model_dump()
            return judge_canary(self._evidence.ends(), challenger.share, margins, recipe.canary.labels)
        if recipe.shadow is None:
            raise RecipeError(f"deployment {self._name} has no stage {challenger.stage} any more; look again")
        return judge_shadow(recipe.shadow.gates, self._evidence.pairs())

    def move(
        self, challenger: Challenger, stage: str, why: str, judgement: Judgement | None, forced: Sequence[str] = ()
    ) -> Event | None:
        """Bring it into a stage; `live` moves the alias that answers.

        Args: forced: what was overruled.
        Returns: None: it is no longer where it was, because somebody else was first.
        Raises: RecipeError: what answers is written in the file as a hash.
        """
        facts: dict[str, Any] = {
            "deployment": self._name,
            "release": challenger.release,
            "stage": stage,
            "why": why,
            "forced": [*forced],
            "judgement": None if judgement is None else judgement.as_json(),
        }

        def draft(_: list[Event]) -> Draft | None:
            if self.deployments.challenger(self._name) != challenger:
                return None
            points = {POINTS: [self._promotion(challenger, why, forced).as_json()]} if stage == LIVE else {}
            return Draft(STAGED, facts | points, user(), now())

        event = self.deployments.append(draft)
        if event is not None:
            told = f" ({why})" if why else ""
            self._said(f"{self._name}: release {short(challenger.release, 12)} is {stage} now{told}")
        return event

    def _passed(self, challenger: Challenger, judgement: Judgement) -> None:
        recipe = self.recipe
        following = recipe.following(challenger.stage)
        if recipe.advance == "auto":
            self.move(challenger, following, f"{challenger.stage} passed", judgement)
            return

        def draft(_: list[Event]) -> Draft | None:
            if self.deployments.challenger(self._name) != challenger or self.deployments.proposed(
                self._name, challenger
            ):
                return None
            facts = {
                "deployment": self._name,
                "release": challenger.release,
                "passed": challenger.stage,
                "why": f"{challenger.stage} passed; {following} is next",
                "judgement": judgement.as_json(),
            }
            return Draft(PROPOSED, facts, user(), now())

        if self.deployments.append(draft):
            told = f"release {short(challenger.release, 12)} passed {challenger.stage}; {following} is next"
            self._said(f"{self._name}: {told}: totalml rollout deployments/{self._name}.yaml --to {following}")

    def _promotion(self, challenger: Challenger, why: str, forced: Sequence[str]) -> Promotion:
        """Of the alias that answers. Raises: RecipeError."""
        alias = self._deployment.release
        if not is_alias(alias):
            raise RecipeError(
                f"deployment {self._name} says by a hash what answers, so only its file can be changed: "
                f"write release: {challenger.release} there, and deploy it"
            )
        known = [each for each in self._aliases.history() if each.release == challenger.release]
        if not known:
            raise RecipeError(
                f"release {challenger.release} was never registered with this store; "
                f"totalml promote {self._model}@... --alias {alias} does that"
            )
        run = known[-1]
        version = run.run_id, run.attempt, run.weights
        return Promotion(now(), alias, *version, user(), why, WENT_LIVE, challenger.release, tuple(forced))

    @property
    def _deployment(self) -> Deployment:
        return self.deployments.require(self._name, f"deployments/{self._name}.yaml")
