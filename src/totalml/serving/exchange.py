"""What a request asks, what it gets, and the release that answers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.release.bundle import Bundle
    from totalml.release.scorer import Inputs, Scored, Scorer

ASKED, ANSWERED = "totalml.asked", "totalml.answered"  # in the scope of a request that came so far


@dataclass(frozen=True)
class Loaded:
    """A release in memory.

    Args:
        nothing: what it says of a sample of nothing: the form of its answers.
        threshold: instead of its own; None: its own.
    """

    bundle: Bundle
    scorer: Scorer
    nothing: Scored
    threshold: float | None = None

    @property
    def release(self) -> str:
        return self.bundle.hash

    @property
    def decision(self) -> Mapping[str, Any]:
        """What answers are held against, as of a signature."""
        own = self.scorer.signature.decision
        return own if self.threshold is None else {**own, "threshold": self.threshold}


@dataclass
class Asked:
    """What a request asks.

    Args:
        ids: of its samples.
        pictures: encoded; None: none were given.
        rows: None: none were given.
        history: rows of before these, which features may look back at; they are neither answered nor kept. None: none.
        release: the one that has to answer; empty: whichever does.
        share: of the requests that a canary got when this one was given to it, or not, by chance; 0: there was none.
        since: when it was read, by `time.perf_counter`.
        taken: when a batch was made of it; None: it waits.
        seen: how another release answered it, so that one that sees alike need not decode it again; None: none did.
    """

    request_id: str
    ids: Sequence[str]
    pictures: Sequence[bytes] | None
    rows: pa.Table | None
    explain: bool = False
    history: pa.Table | None = None
    release: str = ""
    share: float = 0.0
    since: float = field(default_factory=time.perf_counter)
    taken: float | None = None
    seen: Answered | None = None


@dataclass(frozen=True)
class Arm:
    """A release, and for whom it scores.

    Args:
        name: live, for all; canary, for some; shadow, unseen.
    """

    name: str
    loaded: Loaded


@dataclass(frozen=True)
class Answered:
    """What it got.

    Args:
        first: its first row in `scored`, which may be shared with others.
        since: when it was scored, by `time.perf_counter`.
    """

    arm: Arm
    scored: Scored
    first: int
    count: int
    inputs: Inputs
    since: float = field(default_factory=time.perf_counter)

    @property
    def loaded(self) -> Loaded:
        return self.arm.loaded
