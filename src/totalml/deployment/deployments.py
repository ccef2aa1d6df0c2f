"""What is deployed, and in which stage its challenger is: a fold over the journal of a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from totalml.deployment.deployment import Deployment, is_alias
from totalml.deployment.stages import CANARY, SHADOW
from totalml.errors import RecipeError, StoreError
from totalml.registry import Aliases

if TYPE_CHECKING:
    from totalml.store import Store
    from totalml.store.event import Draft, Event

DEPLOYED = "deployed"
STAGED = "staged"  # a challenger came into another stage
PROPOSED = "proposed"  # it passed one, and waits for a person


@dataclass(frozen=True)
class Challenger:
    """Args:
    release: its bundle hash.
    against: that of what answers.
    stage: shadow, canary, live or stopped.
    share: of the requests that it answers; 0 unless it is a canary.
    since: when it came into its stage, UTC, ISO 8601; what it said before does not count.
    why: it came into its stage; empty: it is the first one, or nobody said.
    """

    release: str
    against: str
    stage: str
    share: float
    since: str
    why: str = ""

    @property
    def takes_part(self) -> bool:
        return self.stage in (SHADOW, CANARY)


class Deployments:
    """Those of one model; reads only what is new when asked again."""

    def __init__(self, store: Store, model: str) -> None:
        self._journal, self._aliases = store.journal(model), Aliases(store, model)

    def standing(self, name: str) -> Deployment | None:
        """As it was applied last; None: it never was.

        Raises: StoreError: a newer version applied it.
        """
        applied = (event for event in reversed(self._journal.events()) if event.kind == DEPLOYED)
        found = next((event for event in applied if event.facts.get("deployment") == name), None)
        return None if found is None else _deployment_of(found)

    def require(self, name: str, file: str) -> Deployment:
        """As `standing`. Raises: RecipeError: it was never applied."""
        deployment = self.standing(name)
        if deployment is None:
            raise RecipeError(f"command line: {file} was never deployed; totalml deploy {file} does that")
        return deployment

    def followed(self) -> list[str]:
        """Aliases that deployments follow, as these were applied last."""
        names = dict.fromkeys(event.facts["deployment"] for event in self._journal.events() if event.kind == DEPLOYED)
        standing = [self.standing(name) for name in names]
        return [each.release for each in standing if each is not None and is_alias(each.release)]

    def release(self, name: str) -> str:
        """The bundle hash that is to answer now; empty: nothing is deployed, or its alias points nowhere."""
        deployment = self.standing(name)
        return "" if deployment is None else self.points_at(deployment.release)

    def challenger(self, name: str) -> Challenger | None:
        """None: there is none, or it is what answers already."""
        deployment = self.standing(name)
        if deployment is None or (recipe := deployment.challenger) is None:
            return None
        release, against = self.points_at(recipe.release), self.points_at(deployment.release)
        if not release or not against or release == against:
            return None
        since, staged = self._staged(name)
        stage, why = recipe.stages[0], ""
        if event := staged.get(release):
            stage, why, since = event.facts["stage"], event.facts["why"], event.when
        share = recipe.canary.share if recipe.canary and stage == CANARY else 0.0
        return Challenger(release, against, stage, share, since, why)

    def proposed(self, name: str, challenger: Challenger) -> bool:
        """Whether it was said already, since it came into its stage, that it passed that."""
        facts = (name, challenger.release, challenger.stage)
        for event in reversed(self._journal.events()):  # by their order: machines need not agree about the time
            if event.kind in (DEPLOYED, STAGED) and event.when == challenger.since:
                return False
            told = event.facts
            if event.kind == PROPOSED and (told["deployment"], told["release"], told["passed"]) == facts:
                return True
        return False

    def append(self, decide: Callable[[list[Event]], Draft | None]) -> Event | None:
        """As `Journal.append_decided`."""
        return self._journal.append_decided(decide)

    def is_registered(self, release: str) -> bool:
        """Whether an alias ever pointed at it."""
        return any(each.release == release for each in self._aliases.history())

    def points_at(self, reference: str) -> str:
        """Args: reference: an alias, or a bundle hash.

        Returns: the bundle hash; empty: the alias points nowhere.
        """
        if not is_alias(reference):
            return reference
        standing = self._aliases.standing(reference)
        return standing.release if standing else ""

    def _staged(self, name: str) -> tuple[str, dict[str, Event]]:
        """Since when the file says of challengers what it says, and release -> what brought it into its stage since."""
        since, said = "", None
        staged: dict[str, Event] = {}
        for event in self._journal.events():
            if event.facts.get("deployment") != name:
                continue
            if event.kind == DEPLOYED and (now := _deployment_of(event).challenger) != said:
                since, said, staged = event.when, now, {}
            if event.kind == STAGED:
                staged[event.facts["release"]] = event
        return since, staged


def _deployment_of(event: Event) -> Deployment:
    """Raises: StoreError: a newer version wrote it."""
    try:
        return Deployment.model_validate(event.facts["settings"])
    except (KeyError, TypeError, ValidationError) as error:
        raise StoreError(f"event {event.sequence} was written by a newer version ({error}); update totalml") from error
