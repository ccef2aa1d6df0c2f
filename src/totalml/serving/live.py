"""The release that answers now, and the thread that follows the alias or the deployment it is known by.

A new release is loaded and warmed up beside the old one, which answers until then. If that fails the old one goes on,
the journal says why, and `/readyz`, which anybody may ask, that. It is tried again, as its files may be mended.
"""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from totalml.data.image import ppm
from totalml.errors import ModelError, StoreError, TotalmlError
from totalml.machine import user
from totalml.release.bundle import Bundle, open_bundle
from totalml.release.scorer import Scorer
from totalml.runs.attempt import now
from totalml.serving.answers import answer_of
from totalml.serving.columns import table_of
from totalml.serving.exchange import Answered, Asked, Loaded
from totalml.serving.limits import STOPS_WITHIN_S
from totalml.store import Store
from totalml.store.journal import Draft

EVERY_S = 0.5  # between two looks at the journal
AGAIN_S = 30.0  # after which a release that could not be loaded is tried again
SWAP_FAILED = "swap failed"


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
        self._refused, self._again = "", 0.0  # the release that could not be loaded, and when to try it again
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="follow", daemon=True)
        super().__init__(self._load(wanted()), named, alias)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOPS_WITHIN_S)  # a store may hang

    def look(self) -> None:
        """Take what is wanted now, if it is another release."""
        wanted = self._wanted()
        if wanted == "" or (wanted == self._refused and time.monotonic() < self._again):
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
            except Exception as error:  # the store cannot be read at the moment: what is there goes on
                if not self.failed:
                    self._said(f"{self.named} cannot be followed: {error}")
                self.failed = f"{self.named} cannot be followed at the moment, {self.now.release} goes on"

    def _load(self, release: str) -> Loaded:
        return load(open_bundle(release, self._store), self._threads)

    def _refuse(self, release: str, why: str) -> None:
        known, self._refused, self._again = self._refused, release, time.monotonic() + AGAIN_S
        self.failed = f"release {release} cannot be loaded, {self.now.release} goes on"
        if release == known:
            return
        self._said(f"{self.failed}: {why}")
        facts = {"release": release, "goes_on": self.now.release, "why": why, "where": platform.node()}
        draft = Draft(SWAP_FAILED, facts, user(), now())
        with suppress(StoreError):  # a store that can only be read
            self._store.journal(self.model).append_decided(lambda _: draft)


def load(bundle: Bundle, threads: int) -> Loaded:
    """Warmed up: the first batch is slower than all others.

    Raises: StoreError: any file is gone or changed. ModelError: the model cannot be loaded.
    """
    bundle.verify()
    try:
        loaded = Loaded(bundle, Scorer.load(bundle, threads))
        _warm_up(loaded)
    except TotalmlError:
        raise
    except Exception as error:  # whatever its files say
        raise ModelError(
            f"release {bundle.hash} cannot answer ({type(error).__name__}: {error}). Release the run again."
        ) from error
    return loaded


def _warm_up(loaded: Loaded) -> None:
    """By a sample of nothing, from what a caller gives to what one gets."""
    scorer = loaded.scorer
    pictures = [ppm(np.zeros((1, 1, 3), np.uint8))] if scorer.image else None
    rows = table_of({}, 1, scorer.signature) if scorer.signature.columns else None
    asked = Asked("", ["nothing"], pictures, rows, scorer.explains)
    inputs = scorer.inputs(asked.ids, pictures, rows)
    answer_of(asked, Answered(loaded, scorer.score(inputs, scorer.explains), 0, 1, inputs))
