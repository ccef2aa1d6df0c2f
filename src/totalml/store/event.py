"""One event of a journal: what happened, who says so, and what came before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from totalml.errors import StoreError
from totalml.identity import canonical, digest


@dataclass(frozen=True)
class Draft:
    """What is to become an event.

    Args:
        when: UTC, ISO 8601, by the clock of whoever writes; only the sequence gives the order.
        facts: plain JSON.
    """

    kind: str
    facts: Mapping[str, Any]
    who: str
    when: str


@dataclass(frozen=True)
class Event(Draft):
    """Args:
    sequence: 1 is the first of the journal.
    key: of no other event, by which a writer knows its own again.
    previous: digest of the event before; empty for the first. A history that was tampered with does not hang together.
    """

    sequence: int
    key: str
    previous: str

    def encode(self) -> bytes:
        return canonical(vars(self)) + b"\n"

    def require_legible(self) -> None:
        """Raises: ValueError: it cannot be written, or what is written would not be read back as the same."""
        Event(**json.loads(self.encode())).encode()

    @property
    def digest(self) -> str:
        return digest("event v1", self.encode())


class JournalMovedError(StoreError):
    """Somebody else's event came first.

    Args:
        first: that event.
    """

    def __init__(self, place: str, first: Event) -> None:
        super().__init__(
            f"{place}: {first.who} was first, at {first.when}, with event {first.sequence} ({first.kind}). "
            "Look at the history and give the command again if it is still meant."
        )
        self.first = first
