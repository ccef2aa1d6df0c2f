"""What reviewers of a model were asked and have said: a journal of its own, and the batches of items beside it.

Nothing in it is overwritten: a later verdict of the same reviewer about the same item counts, and one that was taken
back does not. Who may review stands there too: an invitation holds the digest of its token alone, so that whoever reads
the store cannot use it.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from totalml.errors import RecipeError, StoreError
from totalml.identity import digest
from totalml.machine import user
from totalml.prediction_log.asked import FOLDER, ITEMS, QUEUED, REMOVED, SUFFIX
from totalml.recipe.bounds import NAME
from totalml.review.item import BLIND, schema
from totalml.review.said import Entry, Remark, Verdict, Withdrawal, as_json, from_json
from totalml.store.event import Draft
from totalml.store.local_files import FileGoneError

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.store import Store
    from totalml.store.event import Event

SAID, INVITED, REVOKED = "said", "invited", "revoked"
TOKEN_BYTES = 32


@dataclass(frozen=True)
class Invitation:
    """Args: expires: with a zone."""

    name: str
    token: str  # its digest
    expires: datetime


class Reviews:
    """Those of one model; reads only what is new when asked again. Not to be used by two threads at once.

    Args: clock: the time, with a zone.
    """

    def __init__(self, store: Store, model: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        if not NAME.fullmatch(model):
            raise RecipeError(f"command line: {model!r} is no model's name")
        self.model = model
        self._store, self._clock = store, clock
        self._journal = store.journal(f"{model}{SUFFIX}")
        self._folded = 0
        self.last: Event | None = None  # that was read
        self._keys: set[str] = set()
        self.entries: list[Entry] = []  # in their order
        self._verdicts: dict[str, Verdict] = {}  # key -> all that were given, in their order
        self._remarks: dict[str, list[Remark]] = {}  # verdict -> those on it
        self._withdrawn: set[str] = set()
        self._given: dict[tuple[str, str], list[str]] = {}  # item, reviewer -> keys of verdicts
        self._invited: dict[str, Invitation] = {}
        self.batches: list[str] = []
        self.removed: list[tuple[int, str]] = []  # an item, and of how many batches it was removed

    def look(self) -> int:
        """Read what is new. Returns: events there are. Raises: StoreError: the store cannot be read."""
        return self._fold(self._journal.events())

    def queue(self, items: pa.Table, drawn_from: str) -> str:
        """Put items in the queue: a batch.

        Args: items: as `item.schema()`. drawn_from: in words.
        Returns: the name of the batch. Raises: StoreError: the store cannot be written.
        """
        from totalml.data.snapshot import parquet_bytes

        content = parquet_bytes(items.cast(schema()))
        name = digest("review batch v1", content).rpartition(":")[2][:16]
        self._store.save_file(content, FOLDER, self.model, ITEMS, f"{name}.parquet")

        def draft(events: list[Event]) -> Draft | None:
            self._fold(events)
            if name in self.batches:
                return None
            return self._draft(QUEUED, batch=name, items=len(items), drawn_from=drawn_from)

        self._append(draft)
        return name

    def items(self, batch: str) -> pa.Table:
        """Of one batch, in the order in which they are asked; none where its file was removed, as for a damaged one.

        Raises: StoreError: it is damaged.
        """
        from totalml.data.stored_table import stored_table

        try:
            with stored_table(self._store, FOLDER, self.model, ITEMS, f"{batch}.parquet") as file:
                return file.read()
        except FileGoneError:
            return schema().empty_table()

    def say(self, entries: Sequence[Entry]) -> list[Entry]:
        """Keep what reviewers said, in one event.

        Returns: those that were new; what has a key that is known was said before.
        Raises: StoreError: the store cannot be written; then nothing of it is kept.
        """
        new: list[Entry] = []

        def draft(events: list[Event]) -> Draft | None:
            self._fold(events)
            new[:] = {each.key: each for each in reversed(entries) if each.key not in self._keys}.values()
            new.reverse()
            return self._draft(SAID, entries=[as_json(each) for each in new]) if new else None

        self._append(draft)
        return new

    def verdict(self, key: str) -> Verdict | None:
        """Also one that was taken back."""
        return self._verdicts.get(key)

    def standing(self) -> list[Verdict]:
        """The last verdict of each reviewer about each item that was not taken back, oldest first."""
        found = (self.last_of(*each) for each in self._given)
        return [each for each in found if each is not None]

    def last_of(self, item: str, who: str) -> Verdict | None:
        for key in reversed(self._given.get((item, who), [])):
            if key not in self._withdrawn:
                return self._verdicts[key]
        return None

    def has_seen(self, item: str, who: str, before: str) -> bool:
        """Whether a reviewer was told what the model says of it, by a verdict of which this is not the key."""
        earlier = [self._verdicts[key] for key in self._given.get((item, who), ()) if key != before]
        return any(each.shown.get("queue") not in BLIND for each in earlier)

    def last_by(self, who: str) -> Verdict | None:
        """The one that this reviewer may take back: the last that was not."""
        for key in reversed(self._verdicts):
            if self._verdicts[key].who == who and key not in self._withdrawn:
                return self._verdicts[key]
        return None

    def remarks(self, verdict: str) -> Sequence[Remark]:
        return self._remarks.get(verdict, ())

    def about(self, entry: Entry) -> Verdict | None:
        """The verdict that it is, or is about."""
        return entry if isinstance(entry, Verdict) else self._verdicts.get(entry.verdict)

    def invite(self, name: str, days: float) -> str:
        """Let somebody review; an earlier invitation of the same name ends.

        Returns: the token, which stands nowhere else. Raises: RecipeError: that is no name.
        """
        name = _one_form(name)
        if not name or len(name) > 64 or not name.isprintable():
            raise RecipeError(f"command line: {name!r} is no reviewer's name: 1 to 64 characters that can be read")
        token = secrets.token_urlsafe(TOKEN_BYTES)
        expires = (self._clock() + timedelta(days=days)).isoformat(timespec="seconds")
        self._append(lambda _: self._draft(INVITED, name=name, token=token_digest(token), expires=expires))
        return token

    def revoke(self, name: str) -> bool:
        """End an invitation at once. Returns: False: there was none."""
        name = _one_form(name)

        def draft(events: list[Event]) -> Draft | None:
            self._fold(events)
            return self._draft(REVOKED, name=name) if name in self._invited else None

        return self._append(draft)

    def invited(self) -> list[Invitation]:
        return [*self._invited.values()]

    def reviewer(self, token: str) -> str | None:
        """Whose token it is; None: nobody's, or no longer."""
        sought = token_digest(token)
        found = [each for each in [*self._invited.values()] if secrets.compare_digest(each.token, sought)]
        return found[0].name if found and found[0].expires > self._clock() else None

    def _append(self, draft: Callable[[list[Event]], Draft | None]) -> bool:
        event = self._journal.append_decided(draft)
        self.look()
        return event is not None

    def _draft(self, kind: str, **facts: Any) -> Draft:
        return Draft(kind, facts, user(), self._clock().isoformat(timespec="seconds"))

    def _fold(self, events: Sequence[Event]) -> int:
        for event in events[self._folded :]:
            try:
                self._take(event.kind, event.facts)
                # One by one, so that what follows cannot make it be taken twice.
                self._folded, self.last = self._folded + 1, event
            except (KeyError, TypeError, ValueError) as error:
                raise StoreError(
                    f"event {event.sequence} of the reviews was written by a newer version ({error}); update totalml"
                ) from error
        return self._folded

    def _take(self, kind: str, facts: Any) -> None:
        if kind == QUEUED:
            self.batches.append(facts["batch"])
        elif kind == INVITED:
            expires = datetime.fromisoformat(facts["expires"])
            self._invited[facts["name"]] = Invitation(facts["name"], facts["token"], expires)
        elif kind == REVOKED:
            self._invited.pop(facts["name"], None)
        elif kind == REMOVED:
            self.removed += [(len(self.batches), item) for item in facts["items"]]
        elif kind == SAID:
            for entry in [from_json(each) for each in facts["entries"]]:  # all, or none of them
                self._hear(entry)
        else:
            raise ValueError(kind)

    def _hear(self, entry: Entry) -> None:
        self._keys.add(entry.key)
        self.entries.append(entry)
        if isinstance(entry, Verdict):
            self._verdicts[entry.key] = entry
            self._given.setdefault((entry.item, entry.who), []).append(entry.key)
        elif self._is_theirs(entry):  # nobody takes back what another said
            if isinstance(entry, Withdrawal):
                self._withdrawn.add(entry.verdict)
            else:
                self._remarks.setdefault(entry.verdict, []).append(entry)

    def _is_theirs(self, entry: Remark | Withdrawal) -> bool:
        about = self._verdicts.get(entry.verdict)
        return about is not None and about.who == entry.who


def _one_form(name: str) -> str:
    """Names that look the same are one reviewer, however they were typed."""
    return unicodedata.normalize("NFC", name.strip())


def token_digest(token: str) -> str:
    return digest("review token v1", token.encode("utf-8", "surrogatepass"))


def models_with_reviews(store: Store) -> list[str]:
    return sorted(name.removesuffix(SUFFIX) for name in store.journals() if name.endswith(SUFFIX))
