"""The run folders of this machine, and the moments at which remote ones have something to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import StoreError

if TYPE_CHECKING:
    from totalml.runs.attempt import Attempt


class RunFolders:
    """Args:
    root: holds `<recipe>/<run id>/<attempt>/` on this machine.
    say: tells the user a line.
    """

    def __init__(self, root: Path, say: Callable[[str], None]) -> None:
        self.root, self._say = root, say

    def url(self, attempt: Attempt) -> str | None:
        """Where an attempt lies besides this machine."""
        return None

    def has(self, attempt: Attempt) -> bool:
        """Whether the attempt lies where it is to lie."""
        return True

    def fetch(self, recipe: str, run_id: str) -> None:
        """Bring the `run.json` of each attempt whose number is not taken here."""

    def settle(self, recipe: str, run_id: str) -> None:
        """Let attempts that are not finished here give way to remote ones of the same number; then as `fetch`.

        Hold the lock of the run.
        """

    def complete(self, attempt: Attempt) -> None:
        """Bring what an attempt left elsewhere: its results, and its checkpoints if it is to be continued."""

    def publish(self, attempt: Attempt) -> None:
        """Send an attempt; it gets another number if this one is taken there.

        Hold the lock of the run.
        """

    @contextmanager
    def published(self, attempt: Attempt) -> Iterator[None]:
        """Send the attempt when the block ends, however it does; nothing of one that could not even start."""
        try:
            yield
        except BaseException:
            try:
                if attempt.folder.exists():
                    self.publish(attempt)
            except StoreError as error:  # what ended the block is told first
                self._say(str(error))
            raise
        self.publish(attempt)
