"""A project whose photos, conf/, recipe and sources can be changed, with one finished run of it."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.projects import PHOTOS, REPOSITORY, new_project
from tests.warm import run_python

SMALL = """\
seed: 1
features:
  image:
    size: 16
model:
  image:
    width: 4
    depth: 1
training:
  epochs: 2
  batch_size: 16
  augment:
    - _target_: recipes.photos.dim.Dim
evaluation:
  bootstrap: 0
runtime:
  threads: 1
"""
DIM = """\
from totalml.kinds import Augmentation


class Dim(Augmentation):
    def apply(self, images, keys):
        return images.float() * 0.9
"""


class Project:
    """Everything in processes of their own, because code is to change between them; totalml's own once it lies here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run_py(self, *overrides: str) -> str:
        return self._do(0, "run.py", "+recipe=photos", *overrides)

    def verify(self, *arguments: str, expect: int) -> str:
        return self._do(expect, "-m", "totalml.cli", "verify", *arguments)

    def _do(self, expect: int, *arguments: str) -> str:
        own = self.folder / "src"
        source = own if own.is_dir() else REPOSITORY / "src"
        environment = os.environ | {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
        done = run_python(list(arguments), self.folder, environment)
        assert done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if expect < 2 else done.stderr

    def copy_totalml(self) -> Path:
        """The folder of a copy that it runs from now on."""
        ignore = shutil.ignore_patterns("*.egg-info", "__pycache__")
        return shutil.copytree(REPOSITORY / "src", self.folder / "src", ignore=ignore) / "totalml"

    def runs(self) -> list[Path]:
        return sorted((self.folder / "runs").glob("*/*/*/run.json"))


def draw(folder: Path, count: int = 60) -> None:
    """Light and dark squares, with noise."""
    rng = np.random.default_rng(3)
    for number in range(count):
        label = ("dark", "light")[number % 2]
        pixels = np.clip(rng.normal(80 + 90 * (number % 2), 40, (16, 16, 3)), 0, 255).astype(np.uint8)
        file = folder / label / f"{number:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Project:
    """Not to be changed."""
    folder = new_project(tmp_path_factory.mktemp("project"), {"photos": PHOTOS + SMALL})
    shutil.copy(REPOSITORY / "run.py", folder)
    draw(folder / "photos")
    (folder / "recipes" / "photos").mkdir()
    for package in ("recipes", "recipes/photos"):
        (folder / package / "__init__.py").touch()
    (folder / "recipes" / "photos" / "dim.py").write_text(DIM)
    project = Project(folder)
    project.run_py()
    return project


@pytest.fixture
def project(finished, tmp_path) -> Project:
    """A copy of it to plant a change in."""
    shutil.copytree(finished.folder, tmp_path / "project")
    return Project(tmp_path / "project")
