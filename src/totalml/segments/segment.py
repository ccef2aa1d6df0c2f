"""Where rows lie: <folder>/<model>/<day>/<time>-<writer>-<number>-<kind>.parquet, of predictions and of labels.

A name says all that it takes to choose the file, so nothing else has to be kept about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from totalml.identity import short
from totalml.release.log_rows import LOG

LABELS = "labels"  # folder of the store, as LOG is
REWRITTEN = "rewritten"  # writer of files that were made of others; a replica is named by 8 hex digits
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NAME = re.compile(r"((?:[01]\d|2[0-3])[0-5]\d[0-5]\d)-([0-9a-z]+)-(\d{6,18})(?:-([0-9a-f]{8}))?\.parquet")


@dataclass(frozen=True, order=True)
class Hour:
    """What is put together: rows of one release that were written in one hour, in UTC; or labels of one kind.

    Args:
        day: YYYY-MM-DD.
        hour: HH.
        release: the first 8 hex digits of its bundle hash; of labels, those of their columns, and empty where an
            earlier version wrote them.
        folder: LOG or LABELS.
    """

    day: str
    hour: str
    release: str
    folder: str = LOG

    @property
    def starts(self) -> datetime:
        return datetime.fromisoformat(f"{self.day}T{self.hour}:00:00+00:00")

    @property
    def ends(self) -> datetime:
        return self.starts + timedelta(hours=1)


@dataclass(frozen=True, order=True)
class Segment:
    """A file of rows.

    Args:
        hour: in which its first row came.
        writer: a replica, a source of labels, or REWRITTEN.
        number: of the writer's files, rising in the order in which they appear.
        clock: HHMMSS of its first row.
    """

    hour: Hour
    writer: str
    number: int
    clock: str

    @classmethod
    def new(cls, first: datetime, writer: str, number: int, release: str, folder: str = LOG) -> Segment:
        """Args:
        first: when the first of its rows came, in UTC.
        release: its bundle hash; of labels, a digest of their columns.
        """
        hour = Hour(f"{first:%Y-%m-%d}", f"{first:%H}", short(release), folder)
        return cls(hour, writer, number, f"{first:%H%M%S}")

    @classmethod
    def rewritten(cls, hour: Hour, number: int) -> Segment:
        return cls(hour, REWRITTEN, number, f"{hour.hour}0000")

    @classmethod
    def parsed(cls, day: str, name: str, folder: str = LOG) -> Segment | None:
        """None: it is no file of rows."""
        if not (found := _NAME.fullmatch(name)) or (found[4] is None and folder == LOG):
            return None
        clock, writer, number, release = found.groups()
        return cls(Hour(day, clock[:2], release or "", folder), writer, int(number), clock)

    @property
    def name(self) -> str:
        kind = f"-{self.hour.release}" if self.hour.release else ""
        return f"{self.clock}-{self.writer}-{self.number:06}{kind}.parquet"

    def path(self, model: str) -> tuple[str, str, str, str]:
        """In the store."""
        return self.hour.folder, model, self.hour.day, self.name


def is_day(name: str) -> bool:
    """Whether a folder is one of a day."""
    if not _DAY.fullmatch(name):
        return False
    try:
        date.fromisoformat(name)
    except ValueError:
        return False
    return True
