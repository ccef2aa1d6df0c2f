"""One sample: as a source yields it, and as it is once its files are stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

Value = str | int | float | bool | datetime | None


@dataclass(frozen=True, slots=True)
class Sample:
    """Args:
    id: unique in the source; for files the POSIX path relative to the root.
    image: a file to read, encoded bytes (any format that is read from files too), or None for a table row alone.
    group: samples of one group never stand in two splits; None: the sample is its own group.
    timestamp: when it was taken, with time zone.
    mask: encoded single-channel picture of the image's size that says what each pixel shows.
    """

    id: str
    image: Path | bytes | None
    label: str | None
    group: str | None = None
    timestamp: datetime | None = None
    metadata: Mapping[str, Value] = field(default_factory=dict)
    mask: bytes | None = None


@dataclass(frozen=True, slots=True)
class BadSample:
    """A sample that cannot be used, and why, in words for the person who can mend it."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A file that is not meant as a sample, such as `.DS_Store`; the user is told how many there were."""

    id: str


@dataclass(slots=True)
class Row:
    """A good sample whose files are stored."""

    id: str
    blob: bytes | None
    size_bytes: int
    label: str | None
    group: str | None
    timestamp: datetime | None
    mask: bytes | None
    metadata: Mapping[str, Value]
