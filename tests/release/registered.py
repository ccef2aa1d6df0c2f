"""A project with runs that were registered, as a user sees it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.warm import run_python
from totalml.cli import main
from totalml.registry import Aliases, Promotion
from totalml.release.bundle import Bundle, open_bundle
from totalml.store import Store

REPOSITORY = Path(__file__).parents[2]
NAME = "guinness_smoke"
TINY = (
    "evaluation=quick",
    "evaluation.slices=null",
    "data.source.count=60",
    "data.source.size_px=32",
    "features.image.size=32",
    "training.epochs=1",
    "data.split.salt=tiny",
    "runtime.progress=plain",
)
RUN = (f"+recipe={NAME}", "smoke=false", *TINY)
EASY, HARD = "gates=[{metric: accuracy, at_least: 0.0}]", "gates=[{metric: accuracy, at_least: 1.1}]"


class Project:
    """One store and one folder of runs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store, self.runs = folder, folder / "store", folder / "runs"

    def go(self, *overrides: str, expect: int = 0) -> str:
        where = [f"runtime.store={self.store}", f"runtime.runs={self.runs}"]
        done = run_python(["run.py", *RUN, *where, *overrides], REPOSITORY)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def tell(self, *words: str) -> int:
        """A verb of `totalml`."""
        return main([*words, f"--runs={self.runs}", f"--store={self.store}"])

    def attempts(self) -> list[Path]:
        """Folders, oldest first."""

        def begun(file: Path) -> tuple[str, int]:  # several begin within one second, and one may be written again later
            return json.loads(file.read_text())["started"], file.stat().st_mtime_ns

        return [file.parent for file in sorted(self.runs.glob(f"{NAME}/*/*/run.json"), key=begun)]

    def history(self) -> list[Promotion]:
        return Aliases(Store(self.store), NAME).history()

    def bundle(self, alias: str = "candidate") -> Bundle:
        standing = Aliases(Store(self.store), NAME).standing(alias)
        assert standing is not None
        return open_bundle(standing.release, Store(self.store))


def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys, "path", [*sys.path])
