"""Where the aliases of a model point, and did: a fold over its journal.

Until something is promoted again, what an older version wrote into `registry/<model>.jsonl` on this machine stands; the
first event of the journal then carries it over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from totalml.errors import StoreError
from totalml.registry.record import Promotion
from totalml.store import Store
from totalml.store.event import Draft, Event

LEDGERS = "registry"
CARRIED_OVER = "carried over"
POINTS = "points"  # in the facts of every event that moves aliases


class Aliases:
    """Args:
    model: as its recipe is named.
    """

    def __init__(self, store: Store, model: str) -> None:
        self.model = model
        self._journal = store.journal(model)
        self._ledger = store.root / LEDGERS / f"{model}.jsonl"
        self._known: list[Promotion] = []  # of the first events, as many as `_folded`
        self._folded = 0

    @property
    def files(self) -> tuple[Path, Path]:
        """What on this machine all answers rest on, where the store is one of its folders."""
        return self._journal.folder, self._ledger

    def history(self, alias: str | None = None) -> list[Promotion]:
        """Oldest first; of every alias if None.

        Raises: StoreError: an event is damaged, or the store cannot be read.
        """
        return [each for each in self._promotions() if alias in (None, each.alias)]

    def standing(self, alias: str) -> Promotion | None:
        """Where the alias points now."""
        return next((each for each in reversed(self._promotions()) if each.alias == alias), None)

    def told(self) -> list[Promotion | Event]:
        """All that happened, oldest first: what moved aliases, and other events of the journal."""
        events = self._journal.events()
        if not events:
            return [*self._carried()]
        return [each for event in events for each in (self._fold([event]) if POINTS in event.facts else [event])]

    def points(self) -> dict[str, Promotion]:
        """Every alias, and where it points now."""
        return {each.alias: each for each in self.history()}

    def move(self, decide: Callable[[list[Promotion]], Promotion | None]) -> Promotion | None:
        """Point an alias elsewhere, as an event of the journal.

        Args: decide: given the history; asked again if another one has moved an alias meanwhile. None: nothing to do.
        Raises: StoreError: the store cannot be written; whatever `decide` raises.
        """
        decided: list[Promotion | None] = [None]

        def draft(events: list[Event]) -> Draft | None:
            if not events and (old := self._carried()):
                return _draft(CARRIED_OVER, old)
            decided[0] = promotion = decide(self._fold(events))
            return None if promotion is None else _draft(promotion.how, [promotion])

        while (event := self._journal.append_decided(draft)) and event.kind == CARRIED_OVER:
            continue
        return decided[0]

    def _promotions(self) -> list[Promotion]:
        """All of them; only events that are new since the last call are folded."""
        events = self._journal.events()
        if not events:
            return self._carried()
        self._known += self._fold(events[self._folded :]) if self._folded < len(events) else []
        self._folded = len(events)
        return self._known

    def _fold(self, events: Sequence[Event]) -> list[Promotion]:
        if not events:
            return self._carried()
        try:
            return [Promotion.from_json(point) for event in events for point in event.facts.get(POINTS, ())]
        except (TypeError, ValueError) as error:
            raise StoreError(
                f"the journal {self._journal.folder} was written by a newer version ({error}); update totalml"
            ) from error

    def _carried(self) -> list[Promotion]:
        try:
            lines = self._ledger.read_bytes().split(b"\n")[:-1]  # without an end, the last one does not count
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"{self._ledger} cannot be read: {error}") from error
        return [replace(self._read(number, line), how=CARRIED_OVER) for number, line in enumerate(lines, start=1)]

    def _read(self, number: int, line: bytes) -> Promotion:
        try:
            return Promotion.from_json(json.loads(line))
        except (ValueError, TypeError, RecursionError) as error:
            raise StoreError(
                f"line {number} of {self._ledger} is damaged ({error}); restore the file from a backup"
            ) from error


def models(store: Store) -> set[str]:
    """The models of which anything was ever registered or promoted."""
    # What a model's other journals are named by no model is.
    journals = {name for name in store.journals() if "." not in name}
    return journals | {file.stem for file in (store.root / LEDGERS).glob("*.jsonl")}


def _draft(kind: str, promotions: Sequence[Promotion]) -> Draft:
    last = promotions[-1]
    return Draft(kind, {POINTS: [each.as_json() for each in promotions]}, last.who, last.when)
