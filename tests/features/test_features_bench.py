"""The bench of joins, which compares the values of its peers too: run small, since no test depends on a clock."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.warm import run_python

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench_features.py"


@pytest.mark.slow
def test_the_bench_comes_to_an_end_with_every_peer_that_is_there():
    sizes = ["--rows", "3000", "--known", "500", "--entities", "20"]
    done = run_python([str(SCRIPT), *sizes], SCRIPT.parent)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("3,000 rows by 20 features out of 500 rows of 20 entities")
    assert sum(line.startswith("this, ") for line in lines) == 2
    assert sum("not installed" in line for line in lines) == (0 if find_spec("duckdb") else 2)
