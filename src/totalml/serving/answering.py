"""What answers now, and the challenger beside it."""

from __future__ import annotations

from dataclasses import dataclass

from totalml.deployment.stages import CANARY, LIVE
from totalml.identity import drawn
from totalml.serving.exchange import Arm, Loaded


@dataclass(frozen=True)
class Beside:
    """A challenger in memory.

    Args:
        share: of the requests that it answers; 0 of a shadow.
    """

    arm: Arm
    share: float

    @property
    def answers(self) -> bool:
        return self.arm.name == CANARY

    def is_given(self, request_id: str) -> bool:
        """Whether it is to answer the request: by chance, and for one id always the same."""
        return drawn("canary v1", f"{self.arm.loaded.release} {request_id}".encode()) < self.share


class Answering:
    """What answers now; of a plain folder, such as that of an image, for good.

    Args:
        named: as a person calls it.
        alias: its name as a version of the model; None: it has no name but its hash.
    """

    def __init__(self, now: Loaded, named: str, alias: str | None = None) -> None:
        self.model, self.named, self.alias = now.bundle.name, named, alias
        self.swaps, self.failed = 0, ""
        self.now = now
        self.beside: Beside | None = None

    @property
    def arm(self) -> Arm:
        return Arm(LIVE, self.now)

    @property
    def second_arm(self) -> Arm:
        """What answers what was given to the challenger: if that has gone meanwhile, the other one."""
        beside = self.beside
        return beside.arm if beside else self.arm

    @property
    def answering(self) -> list[Loaded]:
        """Whatever a caller may be answered by."""
        beside = self.beside
        return [self.now, *([beside.arm.loaded] if beside and beside.answers else [])]

    def start(self) -> None:
        """Begin to follow."""

    def stop(self) -> None:
        """Follow no more."""
