"""A backend that is slow, refuses or dies costs a run a stated time and a line, and `track sync` sends it later."""

import json
import os
import signal
import time

import pytest

from totalml.tracking.companion import companion

PATIENCE_S = 2.0
LONGEST_S = 25.0  # patience, its margin, and what the run itself takes on a busy machine
RESULTS = ("report.html", "metrics.json", "model.safetensors")

faults = pytest.mark.parametrize(
    "how",
    [
        {"delay_s": 60.0},
        {"refuse": 401},
        {"refuse": 500},
        {"dies_at": "CreateArtifact"},
        {"refuse_files": 403},
    ],
    ids=["slow", "does not know us", "is broken", "dies", "takes no files"],
)


@faults
def test_a_faulty_backend_costs_a_stated_time_and_nothing_else(how, runs, serve, capsys):
    serve(**how)
    started = time.monotonic()
    folder = runs.go("tracking=wandb", f"tracking.patience_s={PATIENCE_S}")
    assert time.monotonic() - started < LONGEST_S
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"
    assert all((folder / name).is_file() for name in RESULTS)
    record = json.loads((folder / "tracking.json").read_text())
    assert record["sent"] is None
    assert record["problem"]
    err = capsys.readouterr().err
    assert f"not sent to W&B: {record['problem'].removesuffix('.')}. The run" in err
    assert "totalml track sync" in err


def test_without_an_account_the_run_is_whole(runs, serve, monkeypatch, capsys):
    serve()
    monkeypatch.delenv("WANDB_API_KEY")
    folder = runs.go("tracking=wandb", f"tracking.patience_s={PATIENCE_S}")
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"
    err = capsys.readouterr().err
    assert "not sent to W&B" in err
    assert ".. " not in err


def test_a_companion_that_is_killed_is_told_and_the_next_run_has_another(runs, serve, capsys):
    serve()
    first = companion()
    os.kill(first._process.pid, signal.SIGSTOP)  # it will not answer
    folder = runs.go("tracking=offline", "tracking.patience_s=0.1")
    assert "not written for W&B: it did not answer in time" in capsys.readouterr().err
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"
    again = runs.go("tracking=offline", "seed=3")
    assert json.loads((again / "tracking.json").read_text())["problem"] is None
    assert companion() is not first
