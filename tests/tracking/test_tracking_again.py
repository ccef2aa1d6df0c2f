"""A finished run that is asked for again with tracking is sent then, once, from its folder; nothing of it changes."""

import json
from pathlib import Path

import pytest

from totalml.runs.attempt import RUN_FILE
from totalml.tracking.record import TRACKING_FILE, TrackingRecord, is_due

PATIENCE = "tracking.patience_s=2"


def contents(folder: Path) -> dict[str, bytes]:
    """All that a run without tracking leaves."""
    files = (file for file in folder.rglob("*") if file.is_file() and "wandb" not in file.parts)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files if file.name != TRACKING_FILE}


def record_of(folder: Path) -> dict:
    return json.loads((folder / TRACKING_FILE).read_text())


def test_asked_again_with_tracking_it_is_sent_once_and_untouched(runs, serve, capsys):
    folder = runs.go("tracking=none")
    before = contents(folder)
    assert not (folder / TRACKING_FILE).exists()
    assert runs.go("tracking=offline") == folder
    assert "is in the run folder" in capsys.readouterr().err
    assert list(folder.glob("wandb/offline-run-*"))
    backend = serve()
    assert runs.go("tracking=wandb") == folder
    assert record_of(folder)["sent"]
    assert backend.ended == {"complete": True, "exitcode": 0}
    assert backend.files["guinness_smoke-model/model.safetensors"] == before["model.safetensors"]
    told = len(backend.operations)
    capsys.readouterr()
    assert runs.go("tracking=wandb") == runs.go("tracking=offline") == folder
    assert len(backend.operations) == told
    assert "W&B" not in capsys.readouterr().err
    assert contents(folder) == before


def test_a_backend_that_refuses_costs_a_line_and_the_same_command_tries_again(runs, serve, capsys):
    folder = runs.go("tracking=none")
    before = contents(folder)
    serve(refuse=401)
    assert runs.go("tracking=wandb", PATIENCE) == folder
    assert "not sent to W&B" in capsys.readouterr().err
    assert record_of(folder)["problem"]
    assert contents(folder) == before
    assert json.loads(before[RUN_FILE])["status"] == "finished"
    serve()
    assert runs.go("tracking=wandb") == folder
    assert record_of(folder)["sent"]


def test_a_folder_that_cannot_be_written_is_reported_all_the_same(runs, capsys):
    folder = runs.go("tracking=none")
    (folder / TRACKING_FILE).mkdir()  # nothing can be written at its place
    (folder / TRACKING_FILE / "x").touch()
    assert runs.go("tracking=offline") == folder
    assert "not tracked: cannot write" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("mode", "record", "due"),
    [
        ("none", None, False),
        ("offline", None, True),
        ("wandb", None, True),
        ("offline", {}, False),
        ("wandb", {}, True),
        ("offline", {"problem": "it ended"}, True),
        ("wandb", {"problem": "it ended"}, True),
        ("offline", {"sent": "2026-01-01"}, False),
        ("wandb", {"sent": "2026-01-01"}, False),
    ],
)
def test_it_is_due_until_it_was_told_of_as_asked(mode, record, due, tmp_path):
    if record is not None:
        TrackingRecord("id", "project", **record).save(tmp_path)
    assert is_due(mode, tmp_path) == due
