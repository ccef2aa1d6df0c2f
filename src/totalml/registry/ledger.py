"""An append-only file for each recipe: `registry/<recipe>.jsonl` in the store.

Nothing in it is ever changed, so it says what stood where at any time. A line counts once its end is written; what a
crash leaves without an end was never promoted, and the next line takes its place.
"""

import json
import os
from pathlib import Path

from totalml.errors import StoreError
from totalml.registry.record import Promotion
from totalml.store.atomic import explained, sync, sync_folder, write_all
from totalml.store.locks import locked


class Ledger:
    """Args:
    store: its folder on this machine.
    """

    def __init__(self, store: Path, recipe: str) -> None:
        self.recipe = recipe
        self.file = store / "registry" / f"{recipe}.jsonl"
        self._lock = store / "locks" / f"registry-{recipe}.lock"

    def history(self, alias: str | None = None) -> list[Promotion]:
        """Oldest first; of every alias if None.

        Raises: StoreError: a line is damaged.
        """
        try:
            whole = self.file.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"{self.file} cannot be read: {error}") from error
        lines = whole.split(b"\n")[:-1]  # without an end, the last one does not count
        found = [self._read(number, line) for number, line in enumerate(lines, start=1)]
        return [each for each in found if alias in (None, each.alias)]

    def standing(self, alias: str) -> Promotion | None:
        """Where the alias points now."""
        return next(reversed(self.history(alias)), None)

    def append(self, promotion: Promotion) -> None:
        """Write it down, whole or not at all; processes wait for each other.

        Raises: StoreError: the store cannot be written, or a line is damaged.
        """
        line = json.dumps(promotion.as_json(), ensure_ascii=False, sort_keys=True).encode() + b"\n"
        with locked(self._lock), explained(self.file.parent, len(line)):
            self.history()  # nothing is written behind a damaged line
            self.file.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                end = _end_of_whole_lines(self.file)
                os.ftruncate(descriptor, end)
                os.lseek(descriptor, end, os.SEEK_SET)
                write_all(descriptor, line)
                sync(descriptor)
            finally:
                os.close(descriptor)
            sync_folder(self.file.parent)

    def _read(self, number: int, line: bytes) -> Promotion:
        try:
            return Promotion.from_json(json.loads(line))
        except (ValueError, TypeError, RecursionError) as error:
            raise StoreError(
                f"line {number} of {self.file} is damaged ({error}); restore the file from a backup"
            ) from error


def _end_of_whole_lines(file: Path) -> int:
    return file.read_bytes().rfind(b"\n") + 1
