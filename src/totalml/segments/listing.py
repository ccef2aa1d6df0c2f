"""Which files of rows count now, without doubling or losing a row while others are rewriting it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from totalml.release.log_rows import LOG
from totalml.segments.rewrites import Rewrites
from totalml.segments.segment import Segment, is_day

if TYPE_CHECKING:
    from totalml.store import Store

LATEST = "9999-12-31"


@dataclass(frozen=True)
class Listed:
    """Args:
    counting: files whose rows count, sorted.
    replaced: files that lie there and count no more, as others were made of them.
    """

    counting: list[Segment]
    replaced: list[Segment]


class Listing:
    """Args:
    model: whose rows they are.
    folder: LOG or LABELS.
    """

    def __init__(self, store: Store, model: str, folder: str = LOG) -> None:
        self.rewrites = Rewrites(store, model, folder)
        self._store, self._model, self._folder = store, model, folder

    def days(self) -> list[str]:
        """Of which anything lies there, the oldest first."""
        return [name for name in self._store.names(self._folder, self._model) if is_day(name)]

    def look(self, since: str = "", until: str = LATEST) -> Listed:
        """Args: since, until: the first day and the last, YYYY-MM-DD."""
        known = self.rewrites.look()
        while True:
            days = [day for day in self.days() if since <= day <= until]
            found = {segment for day in days for segment in self._of(day)}
            last = self.rewrites.last
            # Files that it takes may have gone while they were listed, but only after the new one was there.
            if last is not None and since <= last.hour.day <= until and last.makes not in found:
                found |= {last.makes} & {*self._of(last.hour.day)}
            before, known = known, self.rewrites.look()
            if known == before:
                return self._judged(found)

    def _of(self, day: str) -> list[Segment]:
        names = self._store.names(self._folder, self._model, day)
        return [segment for name in names if (segment := Segment.parsed(day, name, self._folder))]

    def _judged(self, found: Iterable[Segment]) -> Listed:
        last = self.rewrites.last
        unmade = last if last is not None and last.makes not in found else None
        replaced = {each for each in found if any(by is not unmade for by in self.rewrites.taking(each))}
        return Listed(sorted({*found} - replaced), sorted(replaced))
