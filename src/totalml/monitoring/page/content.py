"""Everything that the page of a monitor shows, as plain records; the page itself judges nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from totalml.monitoring.page.spells import Spell, spells

if TYPE_CHECKING:
    from totalml.monitoring.history import Looked
    from totalml.recipe.monitoring import MonitoringRecipe


@dataclass(frozen=True)
class Season:
    """Args:
    since, until: ISO 8601; `until` is not part of it.
    """

    name: str
    since: str
    until: str


@dataclass(frozen=True)
class KeptPicture:
    """A picture of a row that shows it most.

    Args:
        picture: as it was sent.
        said: what the model answered, in words.
        when: it was asked, ISO 8601.
    """

    picture: bytes
    request_id: str
    said: str
    when: str


@dataclass(frozen=True)
class Volume:
    """Rows that were answered from `since` to before `until`, ISO 8601."""

    since: str
    until: str
    rows: int


@dataclass(frozen=True)
class MonitorContent:
    """Args:
    since, until: what is shown, with a time zone; `until` is when the page was made.
    looked: the windows that ended since, the oldest first.
    settings: None: nobody knows them by now.
    rows_per_day: that are expected; None: nobody knows.
    period_days: of a panel, whose rows of a period are one fact; None: each row is one.
    asked: the one release that is shown, as a person called it; empty: all that answered.
    deployment: that answers; may be empty.
    alerts: that are open, as plain JSON with `id`, `verdict`, `severity`, `sentence`, `since`, `state` and `judged`,
        what people said of what it asks them about; None: nobody asked which are.
    pictures: of the latest window that alarmed, those that show it most first.
    volume: empty: as many rows as were looked at.
    late: rows that came after their window was looked at.
    earlier: when the last window ended before all that is shown; None: there was none.
    pictured: whether the model sees pictures, or nobody knows by now.
    """

    model: str
    since: datetime
    until: datetime
    looked: Sequence[Looked] = ()
    settings: MonitoringRecipe | None = None
    rows_per_day: float | None = None
    period_days: float | None = None
    asked: str = ""
    deployment: str = ""
    alerts: Sequence[Mapping[str, Any]] | None = None
    seasons: Sequence[Season] = ()
    pictures: Sequence[KeptPicture] = ()
    volume: Sequence[Volume] = ()
    late: int = 0
    earlier: datetime | None = None
    pictured: bool = True

    @cached_property
    def spells(self) -> list[Spell]:
        return spells(self.looked)

    @property
    def last(self) -> Looked | None:
        return self.looked[-1] if self.looked else None

    @property
    def alarming(self) -> list[Looked]:
        return [each for each in self.looked if each.verdict.alarms]

    @property
    def focus(self) -> Looked | None:
        """The window that evidence is shown of: the latest that alarmed, or else the latest."""
        return self.alarming[-1] if self.alarming else self.last

    @property
    def unseen(self) -> int:
        """Rows that came after the last window, as far as their volume is known."""
        end = datetime.fromisoformat(self.last.end) if self.last else self.since
        return sum(each.rows for each in self.volume if datetime.fromisoformat(each.since) >= end)
