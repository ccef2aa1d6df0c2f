"""A thread that works beside a service until it is told to stop."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

STOPS_WITHIN_S = 1.5  # each of them, as a store may hang; then the process ends without it


class Background(ABC):
    """Args: name: of the thread."""

    def __init__(self, name: str) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOPS_WITHIN_S)

    @abstractmethod
    def _work(self) -> None:
        """Until `_stop` is set."""
