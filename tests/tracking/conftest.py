"""One small run done once; a backend of its own, and a companion of its own, for each test that asks for them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tracking.backend import KEY, Backend
from tests.warm import python
from totalml.compose import compose_recipe
from totalml.recipe import Recipe
from totalml.runner import run
from totalml.tracking.companion import dismiss

REPOSITORY = Path(__file__).parents[2]
PLAIN = [f"evaluation.{part}=null" for part in ("explanation", "robustness", "out_of_distribution")]  # for speed
SMALL = ["+recipe=guinness_smoke", "data.source.count=80", "training.batch_size=16", *PLAIN]

COMPANION = """
import runpy, tempfile
from wandb.sdk.data_types._private import MEDIA_TMP
MEDIA_TMP.name = tempfile.mkdtemp()  # its own: it removes it, and the other forks still need that of the import
runpy.run_module("totalml.tracking.worker", run_name="__main__")
"""


class Place:
    """A store, and folders of runs."""

    def __init__(self, root: Path) -> None:
        self.store, self.runs = root / "store", root / "runs"

    def recipe(self, *more: str) -> Recipe:
        where = [f"runtime.store={self.store}", f"runtime.runs={self.runs}", "runtime.progress=plain"]
        return compose_recipe(REPOSITORY, [*SMALL, *where, *more])

    def go(self, *more: str) -> Path:
        return run(self.recipe(*more))


@pytest.fixture(scope="package", autouse=True)
def _warm_companions() -> Iterator[None]:
    """Each but that of a command of its own is a fork: to import wandb takes longer than all it does here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("totalml.tracking.companion.COMMAND", (*python("totalml.tracking.worker")[1:], "-c", COMPANION))
        yield


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The small run, tracked offline; its store makes another run of it quick."""
    place = Place(tmp_path_factory.mktemp("tracking"))
    place.go("tracking=offline")
    return place


@pytest.fixture
def runs(place: Place, tmp_path: Path) -> Place:
    """The same store, no runs yet."""
    fresh = Place(tmp_path)
    fresh.store = place.store
    return fresh


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Backend]]:
    """Start a backend that the next companion speaks with."""
    started: list[Backend] = []

    def serve(**how: object) -> Backend:
        dismiss()
        backend = Backend(**how)
        started.append(backend)
        monkeypatch.setenv("WANDB_BASE_URL", backend.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        return backend

    monkeypatch.setenv("HOME", str(tmp_path))  # no account of whoever runs the tests
    yield serve
    dismiss()
    for backend in started:
        backend.close()
