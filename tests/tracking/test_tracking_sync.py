"""An offline run holds all that is to be sent, wherever its folder goes, and `track sync` sends it."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from totalml.cli import main
from totalml.errors import TrackingError
from totalml.identity import config_hash
from totalml.recipe import what
from totalml.sweep.task import SweepTask
from totalml.tracking import companion


@pytest.fixture
def offline(place, runs) -> Path:
    """The folder of a run that was tracked offline."""
    shutil.copytree(place.runs, runs.runs)
    (folder,) = runs.runs.glob("guinness_smoke/*/1")
    return folder


@pytest.fixture
def sync(runs, capsys):
    """What `totalml track sync` prints."""

    def sync(*arguments: str, expect: int = 0, store: Path = runs.store) -> str:
        code = main(["track", "sync", *arguments, "--runs", str(runs.runs), "--store", str(store)])
        out, err = capsys.readouterr()
        assert code == expect, out + err
        return out + err

    return sync


def test_an_offline_run_can_be_read_by_wandb_and_nobody_is_spoken_with(runs, serve):
    backend = serve()
    folder = runs.go("tracking=offline")
    assert backend.operations == []
    (run_file,) = folder.glob("wandb/offline-run-*/*.wandb")
    core = Path(find_spec("wandb").origin).parent / "bin" / "wandb-core"
    asked = [str(core), "leet", "--inspect", "--run-file", str(run_file), str(folder / "wandb")]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    assert str(metrics["accuracy"]["value"]) in told


def test_without_tracking_wandb_is_neither_imported_nor_started(runs, serve):
    companion.dismiss()
    folder = runs.go()
    assert companion._companions == {}
    assert not (folder / "tracking.json").exists()
    code = "import sys, totalml.runner, totalml.lifecycle, totalml.tracking; sys.exit('wandb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_offline_run_is_sent_later_and_once(offline, serve, sync):
    backend = serve()
    assert "sent: http" in sync()
    assert backend.files["guinness_smoke-model/model.safetensors"] == (offline / "model.safetensors").read_bytes()
    assert json.loads((offline / "tracking.json").read_text())["sent"]
    assert "every tracked run has been sent" in sync()


def test_a_run_that_was_moved_away_from_its_store_is_sent_whole(offline, serve, sync, tmp_path):
    backend = serve()
    moved = tmp_path / "elsewhere" / offline.parent.name / "1"
    shutil.move(offline, moved)
    sync(str(moved), store=tmp_path / "no store")
    assert backend.files["guinness_smoke-snapshot/samples.parquet"]
    assert backend.files["guinness_smoke-model/model.safetensors"] == (moved / "model.safetensors").read_bytes()
    pictures = [name for name in backend.files if "-samples/media/images/" in name]
    assert len(pictures) == json.loads((moved / "metrics.json").read_text())["count"]


@pytest.mark.parametrize("lost", ["wandb/staged/samples.parquet", "model.safetensors"])
def test_nothing_is_sent_of_a_run_with_missing_bytes(lost, offline, serve, sync):
    backend = serve()
    (offline / lost).unlink()
    told = sync(expect=TrackingError.exit_code)
    assert Path(lost).name in told
    assert "1 of 1 runs were not sent" in told
    assert backend.operations == []


def test_a_damaged_staged_file_is_named(offline, serve, sync):
    backend = serve()
    (offline / "wandb/staged/sample-1.jpg").write_bytes(b"not what it was")
    assert "sample-1.jpg is damaged" in sync(expect=TrackingError.exit_code)
    assert backend.operations == []


def test_a_run_that_was_never_tracked_can_be_sent_by_name(runs, serve, sync):
    backend = serve()
    folder = runs.go()
    sync(f"{folder.parent.name}/1", "--project", "another", "--entity", "team")
    assert backend.told("UpsertBucket")[0]["project"] == "another"
    assert "guinness_smoke-model/model.safetensors" in backend.files


def test_a_sweep_is_the_group_of_its_jobs(runs, tmp_path):

    task = SweepTask(tmp_path, print, tmp_path / "0a1b2c3d")
    assert task.as_job(runs.recipe("tracking=offline")).tracking.group == "0a1b2c3d"
    assert task.as_job(runs.recipe("tracking.group=mine")).tracking.group == "mine"


def test_tracking_is_no_part_of_what_is_computed(runs):
    hashes = {config_hash(what(runs.recipe(f"tracking={mode}"))) for mode in ("offline", "wandb", "none")}
    assert len(hashes) == 1
