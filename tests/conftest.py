"""What every test needs before torch is imported, and the order of the files."""

import compileall
import gc
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import warm

# As in a run: threads that spin while they wait slow every other process on the machine down.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# What tests train is so small that a second thread costs more than it does; other tests use the other cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure(config: pytest.Config) -> None:
    warm.collect_seldom()
    config.option.loadscopereorder = False  # of pytest-xdist, by the number of tests; some that are few take longest
    if not hasattr(config, "workerinput"):
        # Where PYTHONDONTWRITEBYTECODE is set, each process that a test starts would else compile all of it again.
        for folder in ("src", "recipes"):
            compileall.compile_dir(Path(__file__).parents[1] / folder, quiet=2)
        if getattr(config.option, "numprocesses", None):
            os.environ[warm.ADDRESS] = warm.serve()  # one for all processes


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Pytest keeps what it makes of each test file, for the next process, only where bytecode may be written."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    try:
        return (yield)
    finally:
        sys.dont_write_bytecode = before


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with most slow tests first: one that begins last would keep a single process busy."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


def pytest_collection_finish() -> None:
    """Thousands of tests and their modules stay as they are; to look through them again and again finds nothing."""
    gc.collect()
    gc.freeze()
