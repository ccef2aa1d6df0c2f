"""The thread that follows an alias or a deployment: what is wanted now is loaded, and answers.

A new release is loaded and warmed up beside the old one, which answers until then. If that fails the old one goes on,
the journal says why, and `/readyz`, which anybody may ask, that. It is tried again, as its files may be mended. So it
is with a challenger, which scores beside it or answers some.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from totalml.background import Background
from totalml.errors import ModelError, StoreError, TotalmlError
from totalml.machine import user
from totalml.release.bundle import open_bundle
from totalml.runs.attempt import now
from totalml.serving.answering import Answering, Beside
from totalml.serving.exchange import Arm, Loaded
from totalml.serving.loading import load
from totalml.store import Store
from totalml.store.event import Draft

if TYPE_CHECKING:
    from totalml.deployment.deployments import Challenger

EVERY_S = 0.5  # between two looks at the journal
AGAIN_S = 30.0  # after which a release that could not be loaded is tried again
SWAP_FAILED = "swap failed"


@dataclass(frozen=True)
class Wanted:
    """Args:
    release: the bundle hash of what is to answer; empty: what answers goes on.
    challenger: None: there is none.
    threshold: of both; None: their own.
    """

    release: str
    challenger: Challenger | None = None
    threshold: float | None = None


class Live(Background, Answering):
    """Args:
    named, alias: as of `Answering`.
    wanted: what is to answer now, asked twice a second.
    said: told a line for each swap.
    Raises: StoreError, ModelError: the first release cannot be loaded.
    """

    def __init__(
        self,
        store: Store,
        named: str,
        alias: str | None,
        wanted: Callable[[], Wanted],
        threads: int,
        said: Callable[[str], None],
    ) -> None:
        Background.__init__(self, "follow")
        self._store, self._threads, self._said, self._wanted = store, threads, said, wanted
        self._refused: dict[str, float] = {}  # releases that could not be loaded, and when to try them again
        first = wanted()
        self._threshold = first.threshold
        Answering.__init__(self, self._load(first.release), named, alias)

    def look(self) -> None:
        """Take what is wanted now, if it is something else."""
        wanted = self._wanted()
        self._take_threshold(wanted.threshold)
        named = (wanted.release, wanted.challenger.release if wanted.challenger else "")
        self._refused = {release: again for release, again in self._refused.items() if release in named}
        failed = [self._take_release(wanted.release), self._take_challenger(wanted.challenger)]
        self.failed = "; ".join(filter(None, failed))

    def _take_release(self, wanted: str) -> str:
        """Returns: what went wrong; empty if nothing did."""
        if wanted in ("", self.now.release):
            return ""
        goes_on = f"release {wanted} cannot be loaded, {self.now.release} goes on"
        beside = self.beside
        taken = beside.arm.loaded if beside and beside.arm.loaded.release == wanted else self._tried(wanted, goes_on)
        if taken is None:
            return goes_on
        self.now = taken
        self.swaps += 1
        self._said(f"{self.named} is {wanted} now")
        return ""

    def _take_challenger(self, wanted: Challenger | None) -> str:
        """Returns: as `_take_release`."""
        if wanted is None or not wanted.takes_part or wanted.release == self.now.release:
            if self.beside is not None:
                self._said(f"{self.named}: no challenger now")
            self.beside = None
            return ""
        goes_on = f"challenger {wanted.release} cannot be loaded, {self.now.release} goes on alone"
        beside = self.beside
        known = beside.arm.loaded if beside and beside.arm.loaded.release == wanted.release else None
        taken = known or self._tried(wanted.release, goes_on, challenges=True)
        if taken is None:
            self.beside = None
            return goes_on
        new = Beside(Arm(wanted.stage, taken), wanted.share)
        if new != beside:
            self.beside = new
            self._said(f"{self.named}: {wanted.release} is its {wanted.stage} now")
        return ""

    def _take_threshold(self, wanted: float | None) -> None:
        if self._threshold == wanted:
            return
        self._threshold = wanted
        self.now = replace(self.now, threshold=wanted)
        if (beside := self.beside) is not None:
            arm = replace(beside.arm, loaded=replace(beside.arm.loaded, threshold=wanted))
            self.beside = replace(beside, arm=arm)

    def _work(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                self.look()
            except Exception as error:  # the store cannot be read at the moment: what is there goes on
                if not self.failed:
                    self._said(f"{self.named} cannot be followed: {error}")
                self.failed = f"{self.named} cannot be followed at the moment, {self.now.release} goes on"

    def _load(self, release: str) -> Loaded:
        return replace(load(open_bundle(release, self._store), self._threads), threshold=self._threshold)

    def _tried(self, release: str, goes_on: str, challenges: bool = False) -> Loaded | None:
        """None: it cannot be loaded, now or when it was tried last."""
        if time.monotonic() < self._refused.get(release, 0.0):
            return None
        try:
            loaded = self._load(release)
            if challenges:
                self._require_fit(loaded)
        except TotalmlError as error:
            self._refuse(release, goes_on, str(error))
            return None
        self._refused.pop(release, None)
        return loaded

    def _require_fit(self, challenger: Loaded) -> None:
        """Raises: ModelError: it would let down the callers of what answers."""
        if misfits := challenger.scorer.signature.misfits(self.now.scorer.signature):
            raise ModelError(f"release {challenger.release} would let down callers: {'; '.join(misfits)}")

    def _refuse(self, release: str, goes_on: str, why: str) -> None:
        known = release in self._refused
        self._refused[release] = time.monotonic() + AGAIN_S
        if known:
            return
        self._said(f"{goes_on}: {why}")
        facts = {"release": release, "goes_on": self.now.release, "why": why, "where": platform.node()}
        draft = Draft(SWAP_FAILED, facts, user(), now())
        with suppress(StoreError):  # a store that can only be read
            self._store.journal(self.model).append_decided(lambda _: draft)
