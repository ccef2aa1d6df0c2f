"""Times in words, and where they lie on an axis."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from totalml.report.moments import MONTHS, day_of

DAY = timedelta(days=1)
STEPS = tuple(timedelta(hours=hours) for hours in (1, 3, 6, 12, 24, 48, 168, 336, 672, 1344, 2688, 5376, 10752))
MOST_TICKS = 8


def moment(text: str) -> datetime:
    """Args: text: ISO 8601; without a time zone it counts as UTC."""
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def in_words(when: datetime, year: bool = True) -> str:
    """`2 March 2026`, and the time of day unless it is midnight, UTC."""
    return f"{day_of(when, year)}{_clock(when)}"


def span(start: str, end: str) -> str:
    """`2 to 5 March 2026`: the days from start to before end, or hours of a day."""
    since, until = moment(start), moment(end)
    if _is_midnight(since) and _is_midnight(until) and until > since:
        until -= DAY
        if since == until:
            return in_words(since)
        if (since.year, since.month) == (until.year, until.month):
            return f"{since.day} to {in_words(until)}"
        return f"{in_words(since, since.year != until.year)} to {in_words(until)}"
    if since.date() == until.date():
        return f"{day_of(since)}, {since:%H:%M} to {until:%H:%M}"
    return f"{in_words(since, since.year != until.year)} to {in_words(until)}"


def stamp(text: str) -> str:
    """`2026-03-02`, with hours and minutes unless it is midnight."""
    when = moment(text)
    return f"{when:%Y-%m-%d}" if _is_midnight(when) else f"{when:%Y-%m-%d %H:%M}"


@dataclass(frozen=True)
class Axis:
    """From one time to a later one."""

    since: datetime
    until: datetime

    def share(self, text: str) -> float:
        """Where a time lies, 0 to 1; times outside lie at the ends."""
        whole = (self.until - self.since) / DAY
        return min(max((moment(text) - self.since) / DAY / whole, 0.0), 1.0) if whole > 0 else 0.0

    def ticks(self) -> list[tuple[str, str]]:
        """(time, its label) of a few round times."""
        whole = self.until - self.since
        step = next((each for each in STEPS if whole / each <= MOST_TICKS), STEPS[-1])
        first = self.since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        while first < self.since:
            first += step
        found: list[tuple[str, str]] = []
        while first <= self.until and len(found) <= MOST_TICKS * 2:
            label = f"{first.day} {MONTHS[first.month - 1][:3]}" if step >= DAY else f"{first:%d, %H:%M}"
            found.append((first.isoformat(), label))
            first += step
        return found


def _clock(when: datetime) -> str:
    return "" if _is_midnight(when) else f", {when:%H:%M} UTC"


def _is_midnight(when: datetime) -> bool:
    return (when.hour, when.minute, when.second) == (0, 0, 0)
