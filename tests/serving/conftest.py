"""Services of small models, one for all tests of a file."""

import pytest

from tests.serving.serving import TABLE, release, serving
from totalml.serving.limits import Limits
from totalml.store import Store


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    limits = Limits(body_bytes=200_000, samples=5, megapixels=0.002)
    with serving(tmp_path_factory.mktemp("store"), limits=limits) as running:
        yield running


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    with serving(folder, release(Store(folder), 0.01, TABLE)) as running:
        yield running
