"""A release in a plain folder, such as that of an image: what answers now answers for good, and no store is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.serving.live import load

if TYPE_CHECKING:
    from totalml.release.bundle import Bundle


class Fixed:
    """To the service as `Live`.

    Raises: StoreError, ModelError: it cannot be loaded.
    """

    def __init__(self, bundle: Bundle, threads: int) -> None:
        self.model = self.named = bundle.name
        self.swaps, self.failed = 0, ""
        self.now = load(bundle, threads)

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass
