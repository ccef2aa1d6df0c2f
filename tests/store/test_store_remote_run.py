"""A whole small run whose store and run folders lie elsewhere, seen from machines that share nothing else."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec
import pytest

from totalml import runner
from totalml.compose import compose_recipe
from totalml.errors import StoreError

PROJECT = Path(__file__).parents[2]
SMALL = (
    "+recipe=guinness_smoke",
    "evaluation=quick",
    "data.source.count=60",
    "data.source.size_px=32",
    "features.image.size=24",
    "data.split.salt=small",
    "training.batch_size=16",
)


@dataclass
class Machine:
    """Runs the small recipe with a cache of its own."""

    url: str
    cache: Path
    tables: list[dict[str, str]] = field(default_factory=list)

    def run(self, *more: str) -> dict[str, Any]:
        """What `run.json` says in the end."""
        where = [f"runtime.store={self.url}/store", f"runtime.runs={self.url}/runs", f"runtime.cache={self.cache}"]
        folder = runner.run(compose_recipe(PROJECT, [*SMALL, "runtime.progress=plain", *where, *more]))
        assert folder.is_relative_to(self.cache)
        assert (folder / "report.html").stat().st_size
        return json.loads((folder / "run.json").read_text())


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """The folder of a remote filesystem after one machine has finished the run."""
    there = tmp_path_factory.mktemp("there")
    Machine(f"file://{there}", tmp_path_factory.mktemp("first")).run()
    return there


@pytest.fixture(params=["file", "memory"])
def url(request, finished, tmp_path) -> str:
    """The same on two filesystems, for a test alone."""
    if request.param == "file":
        shutil.copytree(finished, tmp_path / "there")
        return f"file://{tmp_path}/there"
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    for file in filter(Path.is_file, finished.rglob("*")):
        memory.put_file(str(file), f"/there/{file.relative_to(finished)}")
    return "memory://there"


@pytest.fixture
def there(finished, tmp_path) -> Path:
    shutil.copytree(finished, tmp_path / "there")
    return tmp_path / "there"


@pytest.fixture
def no_source(monkeypatch):
    """Reading the source is an error."""
    from recipes.guinness.source import PintSource

    def read(self):
        raise AssertionError("the source was read")

    monkeypatch.setattr(PintSource, "samples", read)


def outputs_of(there: Path) -> dict[str, str]:
    (run,) = there.glob("runs/*/*/1/run.json")
    return json.loads(run.read_text())["outputs"]


def test_another_machine_reports_the_finished_run_without_training(
    url, finished, no_source, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("totalml.lifecycle.live", lambda *_: pytest.fail("it trained"))
    run = Machine(url, tmp_path / "second").run()
    assert run["outputs"] == outputs_of(finished)
    told = capsys.readouterr()
    assert "this run is finished: attempt 1" in told.err
    assert f"{url}/runs/guinness_smoke/{run['run_id']}/1" in told.out


def test_another_machine_reuses_snapshot_and_features_without_the_source(url, finished, no_source, tmp_path):
    second = Machine(url, tmp_path / "second")
    run = second.run("seed=1")
    assert run["data_hash"] == json.loads(next(finished.glob("runs/*/*/1/run.json")).read_text())["data_hash"]
    assert not list(second.cache.rglob("*.pack"))  # nor a single picture
    assert not list(second.cache.rglob("incoming/*"))


def test_another_machine_decodes_from_the_remote_blobs(url, no_source, tmp_path):
    second = Machine(url, tmp_path / "second")
    second.run("features.image.size=32")
    assert list(second.cache.rglob("*.pack"))


def test_a_run_that_failed_goes_on_on_another_machine(finished, tmp_path, monkeypatch, capsys):
    url = f"file://{tmp_path}/there"

    def power_cut(*_: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr("totalml.lifecycle.predict", power_cut)
        with pytest.raises(RuntimeError, match="power cut"):
            Machine(url, tmp_path / "first").run()
    (left,) = (tmp_path / "there").glob("runs/*/*/1/run.json")
    assert json.loads(left.read_text())["status"] == "failed"
    shutil.rmtree(tmp_path / "first")
    run = Machine(url, tmp_path / "second").run()
    assert (run["attempt"], run["status"], run["outputs"]) == (1, "finished", outputs_of(finished))
    assert json.loads(left.read_text())["status"] == "finished"
    assert run["seconds"]["training"] > 0


def test_a_machine_that_was_killed_before_it_sent_sends_at_the_next_call(tmp_path, finished):
    first = Machine(f"file://{tmp_path}/there", tmp_path / "first")
    run = first.run()
    shutil.rmtree(tmp_path / "there")
    assert first.run() == run
    assert Machine(first.url, tmp_path / "second").run() == run
    assert outputs_of(tmp_path / "there") == outputs_of(finished)


def test_a_run_is_the_same_without_a_remote_store(finished, tmp_path):
    recipe = compose_recipe(PROJECT, [*SMALL, f"runtime.store={tmp_path}/store", f"runtime.runs={tmp_path}/runs"])
    folder = runner.run(recipe)
    (there,) = finished.glob("runs/*/*/1")
    assert folder.parent.name == there.parent.name
    assert json.loads((folder / "run.json").read_text())["outputs"] == outputs_of(finished)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


KINDS = {
    "table": ("store/snapshots/*/samples.parquet", "seed=0"),
    "memory": ("store/fingerprints/*", "seed=0"),
    "pixels": ("store/features/*/segments/*/pixels.u8", "seed=1"),
    "result": ("runs/*/*/1/metrics.json", "seed=0"),
    "weights": ("runs/*/*/1/model.safetensors", "seed=0"),
    "facts": ("runs/*/*/1/run.json", "seed=0"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_damage_in_the_remote_folder_is_named_and_made_good(there, finished, tmp_path, capsys, kind):
    pattern, seed = KINDS[kind]
    (file,) = there.glob(pattern)
    flip(file)
    run = Machine(f"file://{there}", tmp_path / "second").run(seed)
    told = capsys.readouterr().err
    if kind != "memory":  # that one only saves a look at the source
        assert f"file://{file}" in told
        assert "is damaged" in told
    if seed == "seed=0":
        assert run["outputs"] == outputs_of(finished)
    assert run["data_hash"] == json.loads(next(finished.glob("runs/*/*/1/run.json")).read_text())["data_hash"]


def test_a_damaged_remote_pack_stops_the_run_with_a_mend_that_works(there, tmp_path):
    (file,) = there.glob("store/packs/*.pack")
    flip(file)
    second = Machine(f"file://{there}", tmp_path / "second")
    with pytest.raises(StoreError, match=f"is damaged in file://{file}. Delete file://{file} and"):
        second.run("features.image.size=32")
    file.unlink()
    file.with_suffix(".idx").unlink()
    assert second.run("features.image.size=32")["status"] == "finished"
    assert list(there.glob("store/packs/*.pack"))
