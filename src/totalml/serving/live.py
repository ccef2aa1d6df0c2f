"""The release that answers now, and the thread that follows the alias or the deployment it is known by.

A new release is loaded and warmed up beside the old one, which answers until then. If that fails the old one goes on,
and the journal and `/readyz` say so.
"""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from totalml.errors import TotalmlError
from totalml.machine import user
from totalml.release.bundle import Bundle, open_bundle
from totalml.release.onnx_model import CATEGORICAL, IMAGE, NUMERIC
from totalml.release.scorer import Inputs, Scorer
from totalml.runs.attempt import now
from totalml.store import Store
from totalml.store.journal import Draft

EVERY_S = 0.5  # between two looks at the journal
SWAP_FAILED = "swap failed"


@dataclass(frozen=True)
class Loaded:
    """A release in memory."""

    bundle: Bundle
    scorer: Scorer

    @property
    def release(self) -> str:
        return self.bundle.hash


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

    def start(self) -> None:
        """Begin to follow."""

    def stop(self) -> None:
        """Follow no more."""


class Live(Answering):
    """Args:
    named, alias: as of `Answering`.
    wanted: the bundle hash that is to answer now, asked twice a second; empty: what answers goes on.
    said: told a line for each swap.
    Raises: StoreError, ModelError: the first release cannot be loaded.
    """

    def __init__(
        self,
        store: Store,
        named: str,
        alias: str | None,
        wanted: Callable[[], str],
        threads: int,
        said: Callable[[str], None],
    ) -> None:
        self._store, self._threads, self._said, self._wanted = store, threads, said, wanted
        self._refused = ""  # the release that could not be loaded
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follow", daemon=True)
        super().__init__(self._load(wanted()), named, alias)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Take what is wanted now, if it is another release."""
        wanted = self._wanted()
        if wanted in ("", self._refused):
            return
        if wanted == self.now.release:
            self.failed = self._refused = ""
            return
        try:
            self.now = self._load(wanted)
        except TotalmlError as error:
            self._refuse(wanted, str(error))
        else:
            self.swaps += 1
            self.failed = self._refused = ""
            self._said(f"{self.named} is {wanted} now")

    def _follow(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                self.look()
            except TotalmlError as error:  # the store cannot be read at the moment: what is there goes on
                self.failed = str(error)
            except Exception as error:
                self.failed = f"{type(error).__name__}: {error}"

    def _load(self, release: str) -> Loaded:
        return load(open_bundle(release, self._store), self._threads)

    def _refuse(self, release: str, why: str) -> None:
        self._refused = release
        self.failed = f"release {release} cannot be loaded, {self.now.release} goes on: {why}"
        self._said(self.failed)
        facts = {"release": release, "goes_on": self.now.release, "why": why, "where": platform.node()}
        draft = Draft(SWAP_FAILED, facts, user(), now())
        self._store.journal(self.model).append_decided(lambda _: draft)


def load(bundle: Bundle, threads: int) -> Loaded:
    """Warmed up: the first batch is slower than all others.

    Raises: StoreError: any file is gone or changed. ModelError: the model cannot be loaded.
    """
    bundle.verify()
    loaded = Loaded(bundle, Scorer.load(bundle, threads))
    loaded.scorer.score(blank(loaded.scorer))
    return loaded


def blank(scorer: Scorer) -> Inputs:
    """A sample of nothing, as the model sees it."""
    seen: Inputs = {}
    if scorer.image is not None:
        seen[IMAGE] = np.zeros((1, scorer.image.size, scorer.image.size, 3), np.uint8)
    if scorer.signature.columns:
        seen[NUMERIC] = np.full((1, len(scorer.signature.numeric)), np.nan, np.float32)
        seen[CATEGORICAL] = np.zeros((1, len(scorer.signature.categorical)), np.int64)
    return seen
