import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.projects import PHOTOS, REPOSITORY, new_project
from totalml.compose import main
from totalml.sweep import sweep

WHERE = """\
quality:
  checks: []
runtime:
  store: {0}/store
  runs: {0}/runs
  progress: none
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the real conf/, one recipe and a few photos for it."""
    for number in range(6):
        file = tmp_path / "photos" / f"class{number % 2}" / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (40 * number, 0, 0)).save(file)
    recipe = PHOTOS.replace("root: photos", f"root: {tmp_path}/photos") + WHERE.format(tmp_path)
    return new_project(tmp_path, {"photos": recipe})


@pytest.fixture
def start(project: Path, monkeypatch) -> Callable[..., int]:
    """Run a command line with the planted job; gives the exit code."""
    from tests.sweep.planted import live

    monkeypatch.setenv("PYTHONPATH", f"{REPOSITORY}:{REPOSITORY / 'src'}", prepend=":")
    monkeypatch.chdir(project)

    def go(*arguments: str, job: Callable[..., object] = live) -> int:
        return main(project, job, ["+recipe=photos", *arguments], sweep=sweep)

    return go


@pytest.fixture
def state(project: Path) -> Callable[[], dict]:
    """What the latest sweep wrote down."""

    def read() -> dict:
        files = sorted((project / "runs" / "sweeps").glob("*/*/sweep.json"), key=lambda file: file.stat().st_mtime_ns)
        return json.loads(files[-1].read_text())

    return read
