"""Small projects, and some under git for tests that compare revisions; fixtures are for the conftest.py of a room."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from totalml.cli import main

REPOSITORY = Path(__file__).parents[1]

PHOTOS = """\
defaults:
  - override /data: image_folder

name: photos
data:
  source:
    root: photos
"""


def new_project(folder: Path, recipes: Mapping[str, str] = MappingProxyType({"photos": PHOTOS})) -> Path:
    """The real conf/ and recipes by their names; but no W&B, whose process takes longer than a small run."""
    shutil.copytree(REPOSITORY / "conf", folder / "conf", dirs_exist_ok=True)
    replace(folder / "conf" / "config.yaml", "tracking: offline", "tracking: none")
    (folder / "recipes").mkdir(exist_ok=True)
    for name, text in recipes.items():
        write_recipe(folder, name, text)
    return folder


def write_recipe(project: Path, name: str, text: str) -> None:
    (project / "recipes" / f"{name}.yaml").write_text(text)


def commit(project: Path) -> str:
    """Commit everything; its hash."""
    git(project, "add", "--all")
    git(project, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message=x")
    return git(project, "rev-parse", "HEAD")


def git(project: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=project, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def replace(file: Path, old: str, new: str) -> None:
    """Plant a change."""
    text = file.read_text()
    assert old in text, f"{old!r} is not in {file}"
    file.write_text(text.replace(old, new))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The real conf/ and one recipe, `photos`, committed on branch main."""
    made = new_project(tmp_path / "project")
    git(made, "init", "--quiet", "--initial-branch=main")
    commit(made)
    return made


@pytest.fixture
def totalml(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What `totalml ...` prints in the project."""
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", [*sys.path])  # the command puts the project on it

    def totalml(*arguments: str, expect: int = 0) -> str:
        code = main(arguments)
        out, err = capsys.readouterr()
        assert code == expect, out + err
        return out + err

    return totalml
