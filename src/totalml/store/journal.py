"""A history that several machines write into one after the other: one object an event, made once and never changed.

Event number n is made only by a writer who has seen number n - 1, and of two writers at once one is told that it came
second, with what was first; so the events form one line, whoever writes. What they mean is for a reader to fold.
"""

from __future__ import annotations

import json
import random
import re
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import StoreError
from totalml.store.atomic import create_file, explained, temporary_beside
from totalml.store.event import Draft, Event, JournalMovedError

if TYPE_CHECKING:
    from totalml.store.remote import Remote

JOURNAL = "journal"
AT_ONCE = 16  # events that are brought at the same time
LOOKS = 120  # for the next event alone, before all are listed once more; a service looks twice a second
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.004, 0.25
_NAME = re.compile(r"(\d{8})\.json")


class Journal:
    """Args:
    folder: of this machine; it holds the events, or copies of those at `remote`, which may be deleted at any time.
    name: of the journal, in the folder and in `remote`.
    remote: where the events lie that count; None: in `folder`.
    """

    def __init__(self, folder: Path, name: str, remote: Remote | None = None) -> None:
        self.name = f"{JOURNAL}/{name}"
        self.folder = folder / JOURNAL / name
        self._remote = remote
        self._events: list[Event] = []
        self._looks = 0  # that are left

    def events(self) -> list[Event]:
        """All of them, oldest first; only those that are new since the last call are read.

        Asked often, it looks for the next one alone, and only now and then whether an old one is gone.

        Raises: StoreError: one is gone or damaged, or the store cannot be read.
        """
        if self._looks and not self._moved():
            self._looks -= 1
            return list(self._events)
        return self._all()

    def _all(self) -> list[Event]:
        """By a listing, which takes as long as there are events."""
        last = self._last()
        if last < len(self._events):
            raise StoreError(f"{self._at(last + 1)} is gone; restore it from a backup")
        self._bring(range(len(self._events) + 1, last + 1))
        for sequence in range(len(self._events) + 1, last + 1):
            self._events.append(self._read(sequence))
        self._looks = LOOKS
        return list(self._events)

    def _moved(self) -> bool:
        """Whether there is a next event, or the last one is no longer there."""
        last = len(self._events)
        if self._remote is not None:
            return self._remote.has(self._object(last + 1))
        try:
            return self._file(last + 1).exists() or not self._file(last).exists()
        except OSError:
            return True  # a listing says why it cannot be read

    def append(self, draft: Draft, expected: int) -> Event:
        """Write an event behind the last one that was seen, or nothing.

        Args: expected: the sequence of that one; 0: there was none.
        Raises:
            JournalMovedError: another event is there by now.
            StoreError: the store cannot be written, or cannot tell two writers apart; or the draft could not be read
                again, as numbers of JSON that are whole and 2**53 or more cannot.
        """
        if len(self._events) < expected:
            self._all()
        if not 0 <= expected <= len(self._events):
            raise ValueError(f"{self.name} has {len(self._events)} events, not {expected}")
        previous = self._events[expected - 1].digest if expected else ""
        event = Event(**vars(draft), sequence=expected + 1, key=uuid.uuid4().hex, previous=previous)
        try:
            event.require_legible()
        except ValueError as error:
            told = f"event {event.kind!r} of {self.name} is not written, as nobody could read it again ({error})"
            raise StoreError(
                f"{told}; give whole numbers of 2**53 and more as text, and leave out what is no number"
            ) from error
        if not self._create(event):
            first = self._written(event.sequence)
            # An answer that was lost on the way: what is there is ours.
            if first.key != event.key:
                raise JournalMovedError(self._at(event.sequence), first)
        self._events[expected:] = [event]
        return event

    def append_decided(self, decide: Callable[[list[Event]], Draft | None]) -> Event | None:
        """Write what `decide` makes of the events so far; it is asked again if somebody else was first.

        Returns: None if it decided for nothing.
        Raises: StoreError: the store cannot be written, or cannot tell two writers apart.
        """
        for lost in count():
            events = self._all()
            if (draft := decide(events)) is None:
                return None
            with suppress(JournalMovedError):
                return self.append(draft, len(events))
            # Writers that always meet each other again would mostly write in vain.
            time.sleep(random.uniform(0, min(LONGEST_PAUSE_S, SHORTEST_PAUSE_S * 2**lost)))  # noqa: S311
        raise AssertionError

    def _create(self, event: Event) -> bool:
        data = event.encode()
        if self._remote is None:
            with explained(self.folder, len(data)):
                return create_file(self._file(event.sequence), data)
        if not self._remote.creates_once:
            raise StoreError(
                f"{self._remote.url} cannot tell which of two machines was first, so nothing is promoted there; "
                "keep the store in a folder, on S3, Google Cloud Storage or Azure"
            )
        name = self._object(event.sequence)
        created = self._remote.create(name, data)
        if created and self._remote.create(name, data):
            raise StoreError(
                f"{self._remote.at(name)} could be made twice: this server ignores If-None-Match, so two machines "
                "would overwrite each other; keep the store on a server that knows it"
            )
        return created

    def _written(self, sequence: int) -> Event:
        data = self._remote.read(self._object(sequence)) if self._remote else self._bytes(sequence)
        return self._parsed(sequence, data)

    def _last(self) -> int:
        """The highest sequence there; whatever else a listing missed while events were added."""
        if self._remote is None:
            try:
                names = [path.name for path in self.folder.iterdir()]
            except FileNotFoundError:
                return 0
            except OSError as error:
                raise StoreError(f"{self.folder} cannot be read: {error}") from error
        else:
            names = self._remote.names(self.name)
        return max((int(found[1]) for found in map(_NAME.fullmatch, names) if found), default=0)

    def _bring(self, sequences: range) -> None:
        """Copies of events that lie elsewhere, as far as they are not here."""
        lacking = [sequence for sequence in sequences if self._remote and not self._file(sequence).exists()]
        if lacking:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(self._bring_one, lacking))

    def _bring_one(self, sequence: int) -> None:
        assert self._remote is not None  # noqa: S101  # for the type checker
        file = self._file(sequence)
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            temporary = temporary_beside(file)
            # Not synced: a copy that a power cut spoils is brought again.
            temporary.write_bytes(self._remote.read(self._object(sequence)))
            temporary.replace(file)

    def _read(self, sequence: int) -> Event:
        try:
            return self._parsed(sequence, self._bytes(sequence))
        except StoreError:
            if self._remote is None:
                raise
        self._bring_one(sequence)  # only the copy here may be damaged
        return self._parsed(sequence, self._bytes(sequence))

    def _bytes(self, sequence: int) -> bytes:
        try:
            return self._file(sequence).read_bytes()
        except FileNotFoundError as error:
            raise StoreError(f"{self._at(sequence)} is gone; restore it from a backup") from error
        except OSError as error:
            raise StoreError(f"{self._at(sequence)} cannot be read: {error}") from error

    def _parsed(self, sequence: int, data: bytes) -> Event:
        try:
            event = Event(**json.loads(data))
            if event.encode() != data or event.sequence != sequence or not isinstance(event.facts, dict):
                raise ValueError("it is not what was written")
            if sequence <= len(self._events) + 1 and event.previous != self._digest_before(sequence):
                raise ValueError("it was not written behind the event that is there before it")
        except (ValueError, TypeError, RecursionError) as error:
            raise StoreError(f"{self._at(sequence)} is damaged ({error}); restore it from a backup") from error
        return event

    def _digest_before(self, sequence: int) -> str:
        return self._events[sequence - 2].digest if sequence > 1 else ""

    def _object(self, sequence: int) -> str:
        return f"{self.name}/{sequence:08}.json"

    def _file(self, sequence: int) -> Path:
        return self.folder / f"{sequence:08}.json"

    def _at(self, sequence: int) -> str:
        return self._remote.at(self._object(sequence)) if self._remote else str(self._file(sequence))


def journal_names(folder: Path, remote: Remote | None = None) -> set[str]:
    """Args: as of `Journal`."""
    if remote is None:
        return {path.name for path in (folder / JOURNAL).glob("[!.]*")}
    return {*remote.names(JOURNAL)}
