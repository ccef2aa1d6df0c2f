"""Run a command line the long way, and have a memo kept of what it printed if it came to one finished run."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from totalml.errors import GateError
from totalml.memo.recall import Memo, Said

if TYPE_CHECKING:
    from totalml.recipe import Recipe

MOST_SAID = 1000  # texts; a progress bar writes without end


def run_and_keep(memo: Memo) -> int:
    """The exit code of `run.py`."""
    from totalml.compose import main
    from totalml.runner import run
    from totalml.sweep import sweep

    told: list[tuple[Recipe, Path]] = []

    def job(recipe: Recipe) -> None:
        try:
            folder = run(recipe)
        except GateError as error:
            told.append((recipe, error.folder))
            raise
        told.append((recipe, folder))

    with _heard() as said:
        # Jobs of a sweep are told by the sweep; they may run in processes that know nothing of this one.
        code = main(Path(memo.project), job, memo.arguments, lambda project, given, _: sweep(project, given, run))
    if len(told) == 1 and len(said) < MOST_SAID:
        from totalml.memo.save import save  # what a mistake need not wait for

        save(memo, said, code, *told[0])
    return code


class _Heard:
    """A stream that notes what is written to it."""

    def __init__(self, name: str, stream: TextIO, said: Said) -> None:
        self._name, self._stream, self._said = name, stream, said

    def write(self, text: str) -> int:
        if len(self._said) < MOST_SAID:
            self._said.append((self._name, text))
        return self._stream.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _heard() -> Iterator[Said]:
    out, err, said = sys.stdout, sys.stderr, Said()
    sys.stdout, sys.stderr = (cast(TextIO, _Heard(*each, said)) for each in (("stdout", out), ("stderr", err)))
    try:
        yield said
    finally:
        sys.stdout, sys.stderr = out, err
