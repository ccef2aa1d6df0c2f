import pytest

from tests.prediction_log.logged import Writer
from tests.store.conftest import bucket, endpoint  # noqa: F401
from tests.store.machines import machine
from totalml.store import Store


@pytest.fixture(params=["folder", "memory", pytest.param("s3", marks=pytest.mark.service)])
def place(request, tmp_path) -> str:
    """Where the log lies."""
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket')}/team"
    if request.param == "memory":
        import fsspec

        fsspec.filesystem("memory").store.clear()
    return str(tmp_path / "there") if request.param == "folder" else f"memory://{tmp_path}/there"


@pytest.fixture
def store(place, tmp_path) -> Store:
    return machine(place, tmp_path / "cache")


@pytest.fixture
def writer(store) -> Writer:
    return Writer(store)
