"""What is deployed: a fold over the journal of a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from totalml.deployment.deployment import Deployment
from totalml.errors import StoreError
from totalml.registry import Aliases

if TYPE_CHECKING:
    from totalml.store import Store
    from totalml.store.journal import Event

DEPLOYED = "deployed"


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

    def resolved(self, deployment: Deployment) -> str:
        if not deployment.follows_alias():
            return deployment.release
        standing = self._aliases.standing(deployment.release)
        return standing.release if standing else ""

    def _all(self) -> Iterator[Deployed]:
        return (Deployed.of(event) for event in self._journal.events() if event.kind == DEPLOYED)
