"""The thread that judges the challenger of a deployment while there is one: what fails is stopped without a person."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from totalml.background import Background

if TYPE_CHECKING:
    from totalml.deployment.judge import Judge
    from totalml.serving.answering import Answering
    from totalml.store import Store

EVERY_S = 5.0  # about: replicas that started together need not judge together


class Judging(Background):
    """Args:
    name: of the deployment.
    said: told a line for each thing that is done.
    """

    def __init__(self, live: Answering, store: Store, name: str, said: Callable[[str], None]) -> None:
        super().__init__("judge")
        self._live, self._store, self._name, self._said = live, store, name, said
        self._judge: Judge | None = None
        self._failed = False

    def _work(self) -> None:
        while not self._stop.wait(EVERY_S * random.uniform(0.8, 1.2)):  # noqa: S311
            if self._live.beside is None:
                self._judge = None
                continue
            try:
                self._look()
                self._failed = False
            except Exception as error:  # the store cannot be read or written at the moment: nothing is decided
                if not self._failed:
                    self._said(f"{self._name}: its challenger cannot be judged at the moment: {error}")
                self._failed = True

    def _look(self) -> None:
        from totalml.deployment.judge import Judge

        if self._judge is None:
            self._judge = Judge(self._store, self._live.model, self._name, self._said)
        self._judge.look()
