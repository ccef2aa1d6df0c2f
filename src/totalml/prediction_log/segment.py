"""Where the rows of the log lie: predictions/<model>/<day>/<time>-<writer>-<number>-<release>.parquet.

A name says all that it takes to choose the file, so nothing else has to be kept about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from totalml.identity import short
from totalml.release.log_rows import LOG

REWRITTEN = "rewritten"  # writer of files that were made of others; a replica is named by 8 hex digits
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NAME = re.compile(r"((?:[01]\d|2[0-3])[0-5]\d[0-5]\d)-([0-9a-z]+)-(\d{6,18})-([0-9a-f]{8})\.parquet")


@dataclass(frozen=True, order=True)
class Hour:
    """What is put together: rows of one release that were written in one hour, in UTC.

    Args:
        day: YYYY-MM-DD.
        hour: HH.
        release: the first 8 hex digits of its bundle hash.
    """

    day: str
    hour: str
    release: str

    @property
    def starts(self) -> datetime:
        return datetime.fromisoformat(f"{self.day}T{self.hour}:00:00+00:00")

    @property
    def ends(self) -> datetime:
        return self.starts + timedelta(hours=1)


@dataclass(frozen=True, order=True)
class Segment:
    """A file of the log.

    Args:
        hour: in which its first row was answered.
        writer: a replica, or REWRITTEN.
        number: of the writer's files, rising in the order in which they appear.
        clock: HHMMSS of its first row.
    """

    hour: Hour
    writer: str
    number: int
    clock: str

    @classmethod
    def new(cls, first: datetime, replica: str, number: int, release: str) -> Segment:
        """Args:
        first: when the first of its rows was answered, in UTC.
        release: its bundle hash.
        """
        return cls(Hour(f"{first:%Y-%m-%d}", f"{first:%H}", short(release)), replica, number, f"{first:%H%M%S}")

    @classmethod
    def rewritten(cls, hour: Hour, number: int) -> Segment:
        return cls(hour, REWRITTEN, number, f"{hour.hour}0000")

    @classmethod
    def parsed(cls, day: str, name: str) -> Segment | None:
        """None: it is no file of the log."""
        if not (found := _NAME.fullmatch(name)):
            return None
        clock, writer, number, release = found.groups()
        return cls(Hour(day, clock[:2], release), writer, int(number), clock)

    @property
    def name(self) -> str:
        return f"{self.clock}-{self.writer}-{self.number:06}-{self.hour.release}.parquet"

    def path(self, model: str) -> tuple[str, str, str, str]:
        """In the store."""
        return LOG, model, self.hour.day, self.name


def is_day(name: str) -> bool:
    """Whether a folder is one of a day."""
    if not _DAY.fullmatch(name):
        return False
    try:
        date.fromisoformat(name)
    except ValueError:
        return False
    return True
