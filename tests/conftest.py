"""What every test needs before torch is imported, and the order of the files."""

import os
from collections import Counter

import pytest

# As in a run: threads that spin while they wait slow every other process on the machine down.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def pytest_configure(config: pytest.Config) -> None:
    config.option.loadscopereorder = False  # of pytest-xdist, by the number of tests; some that are few take longest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with most slow tests first: one that begins last would keep a single process busy."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])
