"""Exports take seconds, so each is made once for a file of tests."""

from collections.abc import Callable
from functools import cache

import pytest

from tests.release.exported import Release, release_of


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Release]:
    """What `tests.release.exported` names."""
    return cache(lambda name: release_of(name, tmp_path_factory.mktemp(name)))
