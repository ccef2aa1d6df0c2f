"""Which files were made of which others: a journal of its own, so that of two machines one rewrites at a time.

An event says what is rewritten before anything is: then the new file is written, whole, and only then the old ones go.
So until the new file is there the old ones count, all of them; from then on they do not, though some may still lie
there. An event names the file that it makes by its own number, and what it takes by writer and numbers: short, however
many files that are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from totalml.errors import StoreError
from totalml.release.log_rows import LOG
from totalml.segments.segment import Hour, Segment
from totalml.store.event import Draft

if TYPE_CHECKING:
    from totalml.store import Store
    from totalml.store.event import Event

KIND = "rewritten"


@dataclass(frozen=True)
class Rewrite:
    """One event.

    Args:
        hour: of all files that it takes, and of the one that it makes.
        takes: writer -> the lowest and the highest number of its files.
        without: marks of the keys whose rows are left out.
        makes: the new file.
    """

    hour: Hour
    takes: dict[str, tuple[int, int]]
    without: tuple[str, ...]
    makes: Segment

    @classmethod
    def of(cls, event: Event, folder: str = LOG) -> Rewrite:
        """Raises: StoreError: a newer version wrote it."""
        facts = event.facts
        try:
            if event.kind != KIND:
                raise ValueError(event.kind)
            hour = Hour(**facts["hour"], folder=folder)
            takes = {writer: (int(first), int(last)) for writer, (first, last) in facts["takes"].items()}
            return cls(hour, takes, tuple(facts["without"]), Segment.rewritten(hour, event.sequence))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(
                f"event {event.sequence} of rewritten files was written by a newer version ({error}); update totalml"
            ) from error

    def is_of(self, segment: Segment) -> bool:
        """Whether it takes this file."""
        if segment.hour != self.hour or segment.writer not in self.takes:
            return False
        first, last = self.takes[segment.writer]
        return first <= segment.number <= last


class Rewrites:
    """Those of one model and folder; reads only what is new when asked again."""

    def __init__(self, store: Store, model: str, folder: str = LOG) -> None:
        self._journal, self._folder = store.journal(journal_name(model, folder)), folder
        self._known = 0
        self._of_hour: dict[Hour, list[Rewrite]] = defaultdict(list)
        self.last: Rewrite | None = None

    def look(self) -> int:
        """Read what is new.

        Returns: how many there are.
        """
        events = self._journal.events()
        for event in events[self._known :]:
            self.last = Rewrite.of(event, self._folder)
            self._of_hour[self.last.hour].append(self.last)
        self._known = len(events)
        return self._known

    def taking(self, segment: Segment) -> list[Rewrite]:
        """Those that take this file; whether they are finished or not."""
        return [each for each in self._of_hour.get(segment.hour, ()) if each.is_of(segment)]

    def took(self, writer: str) -> bool:
        """Whether a file of this writer was ever rewritten, as far as `look` saw."""
        return any(writer in each.takes for some in self._of_hour.values() for each in some)

    def claim(self, taken: Sequence[Segment], without: Sequence[str]) -> Rewrite:
        """Say what is rewritten now, behind what `look` saw last.

        Args: taken: of one hour, and all files there of their writers between the lowest number and the highest.
        Raises: JournalMovedError: somebody else claimed something meanwhile.
        """
        from totalml.machine import user
        from totalml.runs.attempt import now

        hour = asdict(taken[0].hour)
        del hour["folder"]  # which its journal says
        facts = {"hour": hour, "takes": _numbers(taken), "without": list(without)}
        event = self._journal.append(Draft(KIND, facts, user(), now()), self._known)
        self.look()
        return Rewrite.of(event, self._folder)


def journal_name(model: str, folder: str = LOG) -> str:
    """A name that no model has."""
    return f"{model}.{'log' if folder == LOG else folder}"


def _numbers(taken: Sequence[Segment]) -> dict[str, Any]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for segment in taken:
        numbers[segment.writer].append(segment.number)
    return {writer: [min(some), max(some)] for writer, some in sorted(numbers.items())}
