"""The script that writes a W&B report shows the named runs and no others, and names one that was not sent."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from totalml.errors import TrackingError

SCRIPT = Path(__file__).parents[2] / "scripts" / "wandb_report.py"


@pytest.fixture
def write(runs):
    """Exit code and output of the script."""

    def write(*arguments: str, **environment: str) -> tuple[int, str]:
        command = [sys.executable, str(SCRIPT), *arguments, "--runs", str(runs.runs)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)
        return done.returncode, done.stdout + done.stderr

    return write


def test_the_report_shows_the_named_runs_in_their_project(runs, serve, write):
    backend = serve()
    folders = [runs.go("tracking=wandb", f"training.epochs={epochs}") for epochs in (1, 2)]
    code, told = write(*(f"{folder.parent.name}/1" for folder in folders), "--title", "One or two")
    assert code == 0, told
    assert "/team/guinness_smoke/reports/One-or-two--" in told
    (view,) = backend.told("upsertView")
    assert (view["entityName"], view["projectName"]) == ("team", "guinness_smoke")
    assert (view["displayName"], view["type"]) == ("One or two", "runs")
    blocks = json.loads(view["spec"])["blocks"]
    (grid,) = [block["metadata"] for block in blocks if block["type"] == "panel-grid"]
    (runset,) = grid["runSets"]
    assert runset["project"] == {"id": "internal-guinness_smoke", "name": "guinness_smoke", "entityName": "team"}
    ids = [json.loads((folder / "tracking.json").read_text())["id"] for folder in folders]
    assert _named(runset["filters"]) == [("name", "IN", ids)]
    words = json.dumps(blocks)
    assert "training.epochs" in words
    assert all(f"`{id_}`" in words for id_ in ids)
    shown = json.dumps(grid["panelBankSectionConfig"])
    assert all(key in shown for key in ("validation/loss", "test/accuracy", "confusion_matrix"))


def test_a_run_that_was_not_sent_is_named_with_the_command_that_sends_it(runs, serve, write):
    backend = serve()
    sent = runs.go("tracking=wandb", "training.epochs=1")
    unsent = runs.go("tracking=offline")
    name = f"{unsent.parent.name}/1"
    code, told = write(f"{sent.parent.name}/1", name)
    assert code == TrackingError.exit_code
    assert f"run {name} has not been sent to W&B; `totalml track sync {name}` sends it" in told
    assert "Traceback" not in told
    assert backend.told("upsertView") == []


def _named(filters) -> list[tuple[str, str, list[str]]]:
    """(key, operator, value) of every leaf."""
    if isinstance(filters, dict) and filters.get("key"):
        return [(filters["key"]["name"], filters["op"], filters["value"])]
    return [leaf for each in (filters.get("filters") or []) for leaf in _named(each)]
