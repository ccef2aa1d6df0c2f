import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.warm import python

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of the finished run of a recipe, done once for all tests."""
    where = tmp_path_factory.mktemp("smoke")

    @cache
    def smoke_run(recipe: str) -> Path:
        options = [f"runtime.store={where}/store", f"runtime.runs={where}/runs", "runtime.progress=none"]
        # One thread on the CPU: what a golden file can be compared with on any machine.
        command = [*python(), "run.py", f"+recipe={recipe}", *options, "runtime.device=cpu", "runtime.threads=1"]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        (folder,) = (where / "runs" / recipe).glob("*/1")
        return folder

    return smoke_run
