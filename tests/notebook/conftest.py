"""A small project of photos and a table, and one finished run of each kind of model."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.projects import new_project
from totalml.notebook import Run, compose, run

COUNT = 40  # photos of each class
SMALL = """\
defaults:
  - override /data: image_table
  - override /quality: none
  - override /evaluation: quick
  - override /tracking: none
  - _self_

name: {name}
data:
  source:
    table: photos/labels.csv
features:
  image: {{size: 16}}
training: {{epochs: 1, batch_size: 16}}
evaluation: {{bootstrap: 20}}
gates:
  - {{metric: accuracy, at_most: {at_most}}}
"""
SEES = {
    "photos": "",
    "table": "  - override /features: table\n  - override /model: mlp\n",
    "both": "  - override /features: image_and_table\n  - override /model: small_cnn_and_mlp\n",
}
COLUMNS = "  table: {numeric: [height_mm], categorical: [glass]}\n"


def recipe_text(name: str, at_most: float = 1.0) -> str:
    text = SMALL.format(name=name, at_most=at_most).replace("  - _self_\n", f"{SEES[name]}  - _self_\n")
    columns = "features:\n" + COLUMNS if name != "photos" else ""
    if name == "table":
        return text.replace("features:\n  image: {size: 16}\n", columns)
    return text.replace("features:\n", columns or "features:\n")


def draw(folder: Path) -> None:
    """Dark photos and bright ones, each with a number and a word beside it."""
    rng, lines = np.random.default_rng(0), ["file,label,height_mm,glass"]
    for number in range(2 * COUNT):
        label = "bright" if number % 2 else "dark"
        pixels = rng.integers(0, 120, (24, 32, 3), np.uint8) + (130 if number % 2 else 0)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number:02d}.png")
        lines.append(f"{number:02d}.png,{label},{100 + number},{'tulip' if number % 3 else 'nonic'}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real conf/, three recipes and their data; nothing of it is named by an absolute path."""
    folder = tmp_path_factory.mktemp("notebook") / "project"
    new_project(folder, {name: recipe_text(name) for name in SEES})
    for name in ("photos", "notes"):
        (folder / name).mkdir()
    draw(folder / "photos")
    return folder


@pytest.fixture(autouse=True)
def own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a project puts it on the path."""
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture(scope="session")
def finished(project: Path) -> Callable[[str], Run]:
    """The run of a recipe; done once."""
    made: dict[str, Run] = {}

    def finished(name: str) -> Run:
        if name not in made:
            made[name] = run(compose(name, project=project))
        return made[name]

    return finished
