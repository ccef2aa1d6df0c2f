"""What a request asks, what it gets, and the release that answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.release.bundle import Bundle
    from totalml.release.scorer import Inputs, Scored, Scorer

ASKED, ANSWERED = "totalml.asked", "totalml.answered"  # in the scope of a request that came so far


@dataclass(frozen=True)
class Loaded:
    """A release in memory."""

    bundle: Bundle
    scorer: Scorer

    @property
    def release(self) -> str:
        return self.bundle.hash


@dataclass
class Asked:
    """What a request asks.

    Args:
        ids: of its samples.
        pictures: encoded; None: none were given.
        rows: None: none were given.
        since: when it was read, by `time.perf_counter`.
        taken: when a batch was made of it; None: it waits.
    """

    request_id: str
    ids: Sequence[str]
    pictures: Sequence[bytes] | None
    rows: pa.Table | None
    explain: bool = False
    since: float = field(default_factory=time.perf_counter)
    taken: float | None = None


@dataclass(frozen=True)
class Answered:
    """What it got.

    Args:
        first: its first row in `scored`, which may be shared with others.
        since: when it was scored, by `time.perf_counter`.
    """

    loaded: Loaded
    scored: Scored
    first: int
    count: int
    inputs: Inputs
    since: float = field(default_factory=time.perf_counter)
