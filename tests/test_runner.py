"""A run is named by what it is made of, reported instead of repeated, and continued after any end."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.projects import REPOSITORY, new_project
from tests.warm import python

SMALL = [
    "+recipe=guinness_smoke",
    "evaluation=quick",
    "data.source.count=80",
    "data.source.size_px=32",
    "features.image.size=32",
    "training.batch_size=16",
    "data.split.salt=small",
]


class Runs:
    """Runs of one small recipe in a folder of their own; all share one store."""

    def __init__(self, store: Path, runs: Path) -> None:
        self.runs = runs
        self.words = [*SMALL, f"runtime.store={store}", f"runtime.runs={runs}", "runtime.progress=plain"]

    def command(self, *more: str) -> list[str]:
        return [*python(), "run.py", *self.words, *more]

    def go(self, *more: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*more), cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done

    def end_after_first_epoch(self, how: signal.Signals, *more: str) -> subprocess.CompletedProcess[str]:
        process = subprocess.Popen(
            self.command(*more), cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 120
        while not list(self.runs.glob("*/*/*/checkpoints/last.ckpt")):
            assert time.monotonic() < deadline, "no epoch ended within two minutes"
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(how)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def attempts(self) -> list[dict]:
        return [json.loads(file.read_text()) for file in sorted(self.runs.glob("*/*/*/run.json"))]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def finished(store, tmp_path_factory) -> Runs:
    """Two epochs, done once, without any disturbance."""
    runs = Runs(store, tmp_path_factory.mktemp("runs"))
    runs.go()
    return runs


@pytest.fixture(scope="module")
def undisturbed(store, tmp_path_factory) -> dict:
    """What twelve epochs come to."""
    runs = Runs(store, tmp_path_factory.mktemp("undisturbed"))
    runs.go("training.epochs=12")
    return runs.attempts()[0]["outputs"]


@pytest.fixture
def untrained(store, tmp_path) -> Path:
    """The same store before any stage was finished, so that there is something to end."""
    shutil.copytree(store, tmp_path / "untrained", ignore=shutil.ignore_patterns("stages"))
    return tmp_path / "untrained"


def test_the_run_folder_holds_all_that_was_promised(finished):
    (folder,) = finished.runs.glob("guinness_smoke/*/1")
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "gates.json",
        "metrics.json",
        "model.safetensors",
        "predictions.parquet",
        "quality.json",
        "recipe.yaml",
        "MODEL_CARD.md",
        "report.html",
        "run.json",
        "steps.npy",
        "training.json",
    }
    assert (folder.parent / "lock").is_file()


def test_a_run_is_named_by_its_config_hash_and_its_data_hash(finished):
    from totalml.compose import compose_recipe
    from totalml.identity import config_hash
    from totalml.recipe import what

    (run,) = finished.attempts()
    recipe = compose_recipe(REPOSITORY, SMALL)
    assert run["config_hash"] == config_hash(what(recipe))
    assert run["run_id"] == f"{run['config_hash'][7:15]}-{run['data_hash'][7:15]}"
    assert (finished.runs / "guinness_smoke" / run["run_id"] / "1").is_dir()
    assert set(run["seconds"]) == {"snapshot", "quality", "features", "training", "evaluation", "gates", "report"}
    assert run["status"] == "finished"


def test_the_composed_recipe_in_the_run_folder_means_the_same_run(finished, tmp_path):
    from totalml.compose import compose_recipe
    from totalml.identity import config_hash
    from totalml.recipe import what

    (written,) = finished.runs.glob("guinness_smoke/*/1/recipe.yaml")
    new_project(tmp_path, {"again": written.read_text()})
    assert config_hash(what(compose_recipe(tmp_path, ["+recipe=again"]))) == finished.attempts()[0]["config_hash"]
    assert yaml.safe_load(written.read_text())["data"]["source"]["knobs"]["days"] == 365  # defaults written out


def test_a_finished_run_is_reported_without_importing_torch(finished):
    code = (
        "import sys; from pathlib import Path; from totalml.compose import main; from totalml.runner import run\n"
        "code = main(Path.cwd(), run, sys.argv[1:])\n"
        "heavy = {'torch', 'torchvision', 'lightning', 'pandas'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *finished.words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "runtime.rerun=true runs it again" in done.stderr
    accuracy = json.loads(next(finished.runs.glob("*/*/1/metrics.json")).read_text())["metrics"]["accuracy"]["value"]
    assert re.search(rf"Accuracy +{accuracy * 100:.1f}\s?%", done.stdout), done.stdout
    assert "report.html" in done.stdout
    assert len(finished.attempts()) == 1


def test_a_further_attempt_comes_to_the_same_weights_and_predictions(finished):
    done = finished.go("runtime.rerun=true")
    first, second = finished.attempts()
    assert second["outputs"] == first["outputs"]
    assert second["compared"] == {"attempt": 1, "identical": True, "differs": [], "changed": []}
    assert "the same weights and predictions as attempt 1" in done.stdout + done.stderr
    one, two = (json.loads(file.read_text()) for file in sorted(finished.runs.glob("*/*/*/metrics.json")))
    assert one == two


@pytest.mark.slow
@pytest.mark.parametrize(
    "how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=["killed", "interrupted", "terminated"]
)
def test_a_run_that_was_ended_goes_on_to_the_result_of_an_undisturbed_one(untrained, tmp_path, undisturbed, how):
    runs = Runs(untrained, tmp_path)
    ended = runs.end_after_first_epoch(how, "training.epochs=12")
    (left,) = runs.attempts()
    if how != signal.SIGKILL:
        assert ended.returncode == 130, ended.stderr
        assert left["status"] == "interrupted"
        assert "Traceback" not in ended.stderr
        assert "go on" in ended.stderr or "goes on" in ended.stderr or "continue" in ended.stderr
    else:
        assert left["status"] == "running"
    runs.go("training.epochs=12")
    (again,) = runs.attempts()
    assert again["status"] == "finished"
    assert again["outputs"] == undisturbed


def test_a_check_that_stops_the_run_ends_it_with_exit_code_4_and_says_why(store, tmp_path):
    runs = Runs(store, tmp_path)
    check = "{_target_:totalml.quality.SplitSizes,min_count:1000,level:stop}"
    done = runs.go(f"quality.checks=[{check}]", expect=4)
    assert "SplitSizes" in done.stderr
    assert "Traceback" not in done.stderr
    (run,) = runs.attempts()
    assert run["status"] == "failed"
    assert "SplitSizes" in run["error"]


def test_a_model_that_cannot_be_built_leaves_no_attempt_behind(store, tmp_path):
    runs = Runs(store, tmp_path)
    model = ["model=torchvision", "model.image.name=resnet18", "model.image.weights=gone.safetensors"]
    assert "gone.safetensors" in runs.go(*model, expect=7).stderr
    assert list(tmp_path.glob("*/*/1")) == []


def test_another_pin_stops_the_run_before_anything_is_made(store, tmp_path):
    runs = Runs(store, tmp_path)
    done = runs.go(f"data.snapshot=blake3:{'0' * 64}", expect=4)
    assert "0" * 64 in done.stderr
    assert runs.attempts() == []


def damage(file: Path, how: str) -> None:
    if how == "gone":
        file.unlink()
    elif how == "empty":
        file.write_bytes(b"")
    else:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("report.html", "gone"),
        ("predictions.parquet", "flipped"),
        ("metrics.json", "empty"),
        ("run.json", "empty"),
        ("run.json", "flipped"),
    ],
)
def test_a_finished_run_that_lost_something_is_done_again_and_says_so(finished, store, tmp_path, name, how):
    runs = Runs(store, tmp_path / "runs")
    shutil.copytree(finished.runs, runs.runs)
    for extra in runs.runs.glob("*/*/2"):
        shutil.rmtree(extra)
    (folder,) = runs.runs.glob("*/*/1")
    outputs = json.loads((folder / "run.json").read_text())["outputs"]
    if name == "run.json" and how == "flipped":  # inside a key, so that it is still JSON
        text = (folder / "run.json").read_text()
        (folder / "run.json").write_text(text.replace('"status"', '"statut"'))
    else:
        damage(folder / name, how)
    done = runs.go()
    assert name in done.stderr
    assert json.loads((folder.parent / "2" / "run.json").read_text())["outputs"] == outputs


def test_a_flipped_byte_in_the_features_is_noticed_and_decoded_again(finished, tmp_path):
    (at,) = [Path(text.partition("=")[2]) for text in finished.words if text.startswith("runtime.store=")]
    shutil.copytree(at, tmp_path / "store")
    for pixels in (tmp_path / "store" / "features").rglob("pixels.u8"):
        damage(pixels, "flipped")
    runs = Runs(tmp_path / "store", tmp_path / "runs")
    done = runs.go()
    assert "decoded again" in done.stderr
    assert runs.attempts()[0]["outputs"] == finished.attempts()[0]["outputs"]


def test_a_flipped_byte_in_a_checkpoint_is_noticed(untrained, tmp_path, undisturbed):
    runs = Runs(untrained, tmp_path)
    runs.end_after_first_epoch(signal.SIGKILL, "training.epochs=12")
    for checkpoint in runs.runs.glob("*/*/1/checkpoints/*.ckpt"):
        damage(checkpoint, "flipped")
    done = runs.go("training.epochs=12")
    assert "damaged" in done.stderr
    assert runs.attempts()[0]["outputs"] == undisturbed


def test_arguments_that_the_optimizer_refuses_are_explained(store, tmp_path):
    done = Runs(store, tmp_path).go("training.optimizer.lr=-1", expect=2)
    assert "AdamW refuses lr=-1: Invalid learning rate: -1" in done.stderr
    assert "Traceback" not in done.stderr


def test_numbers_that_are_none_are_passed_over(finished, store, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "²")  # which torch passes over, too
    runs = Runs(store, tmp_path)
    (folder,) = finished.runs.glob("*/*/1")
    (tmp_path / folder.parent.relative_to(finished.runs) / "²").mkdir(parents=True)
    runs.go("runtime.threads=1")
    assert [attempt["attempt"] for attempt in runs.attempts()] == [1]


def test_a_runs_folder_that_cannot_be_written_is_explained(store, tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = Runs(store, tmp_path / "file").go(expect=5)
    assert "runtime.runs" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_memory_of_the_source_is_forgotten(finished, tmp_path):
    (at,) = [Path(text.partition("=")[2]) for text in finished.words if text.startswith("runtime.store=")]
    shutil.copytree(at, tmp_path / "store")
    for memory in (tmp_path / "store" / "fingerprints").glob("*.json"):
        damage(memory, "empty")
    runs = Runs(tmp_path / "store", finished.runs)
    assert "this run is finished" in runs.go().stderr
