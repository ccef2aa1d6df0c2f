"""What is deployed, and in which stage its challenger is: a fold over the journal of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from totalml.deployment.deployment import CANARY, SHADOW, Deployment, is_alias
from totalml.errors import StoreError
from totalml.registry import Aliases

if TYPE_CHECKING:
    from totalml.store import Store
    from totalml.store.event import Draft, Event

DEPLOYED = "deployed"
STAGED = "staged"  # a challenger came into another stage
PROPOSED = "proposed"  # it passed one, and waits for a person


@dataclass(frozen=True)
class Deployed:
    """Args:
    name: of the file, without its ending.
    """

    name: str
    deployment: Deployment
    when: str
    who: str
    why: str

    @classmethod
    def of(cls, event: Event) -> Deployed:
        """Raises: StoreError: a newer version wrote it."""
        facts = event.facts
        try:
            deployment = Deployment.model_validate(facts["settings"])
            return cls(facts["deployment"], deployment, event.when, event.who, facts.get("why", ""))
        except (KeyError, TypeError, ValidationError) as error:
            raise StoreError(
                f"event {event.sequence} was written by a newer version ({error}); update totalml"
            ) from error


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

    def history(self, name: str) -> list[Deployed]:
        """Oldest first."""
        return [each for each in self._all() if each.name == name]

    def standing(self, name: str) -> Deployed | None:
        deployed = (event for event in reversed(self._journal.events()) if event.kind == DEPLOYED)
        found = next((event for event in deployed if event.facts.get("deployment") == name), None)
        return None if found is None else Deployed.of(found)

    def release(self, name: str) -> str:
        """The bundle hash that is to answer now; empty: nothing is deployed, or its alias points nowhere."""
        deployed = self.standing(name)
        return "" if deployed is None else self.resolved(deployed.deployment)

    def challenger(self, name: str) -> Challenger | None:
        """None: there is none, or it is what answers already."""
        deployed = self.standing(name)
        if deployed is None or (recipe := deployed.deployment.challenger) is None:
            return None
        release, against = self.points_at(recipe.release), self.resolved(deployed.deployment)
        if not release or not against or release == against:
            return None
        since, staged = self._staged(name)
        stage, why = recipe.stages[0], ""
        if event := staged.get(release):
            stage, why, since = event.facts["stage"], event.facts["why"], event.when
        share = recipe.canary.share if recipe.canary and stage == CANARY else 0.0
        return Challenger(release, against, stage, share, since, why)

    def proposed(self, name: str, challenger: Challenger) -> bool:
        """Whether it was said already that it passed its stage."""
        told = (
            each.facts for each in self._journal.events() if each.kind == PROPOSED and each.when >= challenger.since
        )
        facts = (name, challenger.release, challenger.stage)
        return any((each["deployment"], each["release"], each["passed"]) == facts for each in told)

    def append(self, decide: Callable[[list[Event]], Draft | None]) -> Event | None:
        """As `Journal.append_decided`."""
        return self._journal.append_decided(decide)

    def resolved(self, deployment: Deployment) -> str:
        """The bundle hash of what is to answer; empty: its alias points nowhere."""
        return self.points_at(deployment.release)

    def is_registered(self, release: str) -> bool:
        """Whether an alias ever pointed at it."""
        return any(each.release == release for each in self._aliases.history())

    def points_at(self, reference: str) -> str:
        """Args: reference: an alias, or a bundle hash."""
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
            if event.kind == DEPLOYED and (now := Deployed.of(event).deployment.challenger) != said:
                since, said, staged = event.when, now, {}
            if event.kind == STAGED:
                staged[event.facts["release"]] = event
        return since, staged

    def _all(self) -> Iterator[Deployed]:
        return (Deployed.of(event) for event in self._journal.events() if event.kind == DEPLOYED)
