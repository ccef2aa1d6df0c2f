"""`python run.py` and `totalml` mean the same folders, wherever they are called from."""

import sys
from pathlib import Path

import pytest

from totalml.compose import main
from totalml.project import find_place

REPOSITORY = Path(__file__).parents[1]


def places(*overrides: str) -> tuple[str, ...]:
    """Store, runs and cache of the recipe that `run.py` would run."""
    jobs = []
    assert main(REPOSITORY, jobs.append, ["+recipe=guinness_smoke", *overrides]) == 0
    (recipe,) = jobs
    return recipe.runtime.store, recipe.runtime.runs, recipe.runtime.cache


@pytest.fixture
def path(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.mark.parametrize("folder", [REPOSITORY, REPOSITORY / "conf" / "model", Path("/")])
def test_a_run_lies_below_the_project_wherever_it_is_called_from(folder, monkeypatch):
    monkeypatch.chdir(folder)
    kept = [Path(place).absolute() for place in places("runtime.store=kept")]
    assert kept == [REPOSITORY / "kept", REPOSITORY / "runs", REPOSITORY / ".totalml/remote"]


@pytest.mark.parametrize("folder", [REPOSITORY, REPOSITORY / "conf" / "model"])
def test_commands_look_where_runs_lie(path, folder, monkeypatch):
    monkeypatch.chdir(folder)
    place, default = find_place(Path.cwd(), "other/runs", "kept"), find_place(Path.cwd())
    assert (place.store, place.runs) == (REPOSITORY / "kept", REPOSITORY / "other/runs")
    assert (default.store, default.runs) == (REPOSITORY / ".totalml", REPOSITORY / "runs")


def test_called_from_the_project_nothing_that_is_written_down_names_the_machine(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    assert places() == (".totalml", "runs", ".totalml/remote")


def test_urls_and_absolute_folders_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert places("runtime.store=memory://team", f"runtime.runs={tmp_path}")[:2] == ("memory://team", str(tmp_path))
