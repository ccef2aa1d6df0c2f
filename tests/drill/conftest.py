import pytest

from tests.drill import drawn
from totalml.drill import Pools


@pytest.fixture(scope="session")
def pools() -> Pools:
    return drawn.pools()
