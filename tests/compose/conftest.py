from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests import projects


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the real conf/ and one valid recipe, `photos`."""
    return projects.new_project(tmp_path)


@pytest.fixture
def write_recipe(project: Path) -> Callable[[str, str], None]:
    return partial(projects.write_recipe, project)
