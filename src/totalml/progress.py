"""Progress that a person can watch and a log file can hold.

A bar on a terminal or in a notebook, a line every few seconds elsewhere, nothing when told so.
"""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, Self, TypeVar

T = TypeVar("T")
Mode = Literal["rich", "plain", "none"]
PLAIN_EVERY_S = 5.0


@dataclass(frozen=True)
class Progress:
    """Where long work reports to; everything goes to stderr so that stdout stays clean."""

    mode: Mode = "none"

    @classmethod
    def create(cls, mode: str = "auto") -> Self:
        """`auto` is `rich` on a terminal and in a notebook, and `plain` elsewhere."""
        if mode == "auto":
            mode = "rich" if sys.stderr.isatty() or _in_notebook() else "plain"
        return cls(mode)  # type: ignore[arg-type]

    @classmethod
    def silent(cls) -> Self:
        return cls("none")

    def say(self, line: str) -> None:
        if self.mode != "none":
            print(line, file=sys.stderr, flush=True)

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Say rows of text in aligned columns, the first one to the left."""
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for first, *rest in rows:
            cells = [f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=True)]
            self.say("  ".join([f"{first:<{widths[0]}}", *cells]))

    def track(self, items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
        """Yield the items; `what` names the work in a few words."""
        if self.mode == "rich":
            return self._bar(items, what, total)
        if self.mode == "plain":
            return self._lines(items, what, total)
        return iter(items)

    def _bar(self, items: Iterable[T], what: str, total: int | None) -> Iterator[T]:
        from rich.console import Console
        from rich.progress import track

        yield from track(items, what, total, console=Console(stderr=True), transient=True)

    def _lines(self, items: Iterable[T], what: str, total: int | None) -> Iterator[T]:
        due = time.monotonic() + PLAIN_EVERY_S
        for count, item in enumerate(items, start=1):
            yield item
            if time.monotonic() >= due:
                self.say(f"{what}: {count}" + (f" of {total}" if total else ""))
                due = time.monotonic() + PLAIN_EVERY_S


def _in_notebook() -> bool:
    """Whether rich can move a bar in Jupyter, for which it needs ipywidgets."""
    if "ipykernel" not in sys.modules or find_spec("ipywidgets") is None:
        return False
    from rich.console import Console

    return Console().is_jupyter
