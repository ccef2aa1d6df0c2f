import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

VALID = """\
defaults:
  - override /data: image_folder

name: photos

data:
  source:
    root: photos
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the real conf/ and one valid recipe."""
    shutil.copytree(REPOSITORY / "conf", tmp_path / "conf")
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "photos.yaml").write_text(VALID)
    return tmp_path


@pytest.fixture
def write_recipe(project: Path) -> Callable[[str, str], None]:
    def write(name: str, text: str) -> None:
        (project / "recipes" / f"{name}.yaml").write_text(text)

    return write
