"""Runs of a tiny recipe in this process, so that torch is imported once."""

import json
from pathlib import Path

import pytest

from totalml.compose import compose_recipe
from totalml.runner import run

REPOSITORY = Path(__file__).parents[2]
TINY = [
    "+recipe=guinness_smoke",
    "evaluation=quick",
    "data.source.count=60",
    "data.source.size_px=32",
    "features.image.size=32",
    "training.epochs=1",
    "data.split.salt=tiny",
]


class Project:
    """One store and one folder of runs."""

    def __init__(self, folder: Path) -> None:
        self.store, self.runs = folder / "store", folder / "runs"

    def recipe(self, *overrides: str):
        where = [f"runtime.store={self.store}", f"runtime.runs={self.runs}", "runtime.progress=plain"]
        return compose_recipe(REPOSITORY, [*TINY, *where, *overrides])

    def go(self, *overrides: str) -> dict:
        """The facts of the attempt that a call leaves or finds."""
        return json.loads((run(self.recipe(*overrides)) / "run.json").read_text())

    def kept(self, stage: str) -> list[Path]:
        return sorted((self.store / "stages" / stage).iterdir())


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    made = Project(tmp_path_factory.mktemp("project"))
    made.go()
    return made
