"""What a monitor looked at and what it said, as a journal: each window once, whoever looks and whoever is killed.

An event says how far its monitor came, and names what the sequential tests have seen by then. The next window begins
there. Of two processes that looked at the same window one writes it, and the other goes on from what that one wrote.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from totalml.alerts.finding import EXACT, Sample
from totalml.errors import StoreError
from totalml.machine import user
from totalml.monitoring.states import States
from totalml.monitoring.verdict import Verdict
from totalml.runs.attempt import now
from totalml.store.event import Draft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from totalml.store import Store
    from totalml.store.event import Event

LOOKED = "looked"
SCHEMA = 1


@dataclass(frozen=True)
class Looked:
    """One window of one release.

    Args:
        release: its bundle hash; the monitor of another one begins anew.
        since: of the rows that the window test looked at, ISO 8601 UTC; before `start` where windows had too few.
        start, end: the rows that are new in it; `end` is not part of it.
        rows, labels: how many were new.
        state: digest of what the sequential tests have seen after it, in `States`.
        samples: those that show it most, the clearest first, and some by chance, to be looked at by people.
    """

    release: str
    since: str
    start: str
    end: str
    rows: int
    labels: int
    verdict: Verdict
    state: str
    samples: tuple[Sample, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Of numbers that the journal could not give back, such as times in nanoseconds, None is kept."""
        kept: dict[str, Any] = _exact({**asdict(self), "schema": SCHEMA})
        return kept

    @classmethod
    def of(cls, event: Event) -> Self:
        """Raises: StoreError: a newer version wrote it."""
        try:
            facts = {name: value for name, value in event.facts.items() if name != "schema"}
            if event.facts["schema"] != SCHEMA:
                raise ValueError(f"its schema is {event.facts['schema']}")
            verdict = Verdict.from_json(facts["verdict"])
            return cls(**{**facts, "verdict": verdict, "samples": tuple(Sample(**each) for each in facts["samples"])})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(
                f"event {event.sequence} of the monitor was written by a newer version ({error}); update totalml"
            ) from error


class History:
    """Of one model."""

    def __init__(self, store: Store, model: str) -> None:
        self._journal = store.journal(journal_name(model))
        self._states = States(store, model)

    def looked(self) -> list[Looked]:
        """All windows, the oldest first."""
        return [Looked.of(event) for event in self._journal.events() if event.kind == LOOKED]

    def last(self, release: str) -> Looked | None:
        """Of a release; None: nobody has looked at it."""
        events = (event for event in reversed(self._journal.events()) if event.kind == LOOKED)
        found = next((event for event in events if event.facts.get("release") == release), None)
        return None if found is None else Looked.of(found)

    def append(self, looked: Looked) -> bool:
        """Whether it was written: not if somebody has come as far for this release by now.

        The state of the window before it is removed then, unless another release stands there too.
        """
        last: dict[str, Mapping[str, Any]] = {}  # release -> its last window

        def draft(events: list[Event]) -> Draft | None:
            last.update({event.facts["release"]: event.facts for event in events if event.kind == LOOKED})
            if looked.release in last and last[looked.release]["end"] > looked.start:
                return None
            return Draft(LOOKED, looked.as_json(), user(), now())

        if self._journal.append_decided(draft) is None:
            return False
        before = last.pop(looked.release, None)
        if before is not None and before["state"] not in (looked.state, *(each["state"] for each in last.values())):
            self._states.remove(before["state"])
        return True

    def save(self, state: Mapping[str, Any]) -> str:
        """Of the tests that run along; what to call it. Raises: StoreError: it cannot be written."""
        return self._states.save(state)

    def load(self, state: str) -> dict[str, Any]:
        """Raises: FileGoneError: it is not there. StoreError: it is damaged."""
        return self._states.load(state)


def journal_name(model: str) -> str:
    """A name that no model has."""
    return f"{model}.monitor"


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _exact(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(each) for each in value]
    return None if isinstance(value, int | float) and abs(value) >= EXACT else value
