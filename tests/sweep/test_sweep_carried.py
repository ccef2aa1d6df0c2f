"""A recipe carries its own sweep: it runs without -m, and the command line can fix or replace any part of it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.sweep.planted import live
from tests.warm import python

REPOSITORY = Path(__file__).parents[2]
SWEEP = """
sweep:
  sampler: grid
  parameters:
    training.optimizer.lr: 0.1,0.012
    seed: range(0,2)
"""


@pytest.fixture
def carried(project, start):
    file = project / "recipes" / "photos.yaml"
    file.write_text(file.read_text() + SWEEP)
    return start


def swept(state):
    return [tuple(job["parameters"].values()) for job in state()["jobs"]]


def test_it_runs_without_a_flag(carried, state):
    assert carried() == 0
    assert swept(state) == [("0.1", "0"), ("0.1", "1"), ("0.012", "0"), ("0.012", "1")]
    assert state()["sampler"] == "grid"


def test_a_value_on_the_command_line_fixes_a_key(carried, state):
    assert carried("training.optimizer.lr=0.3") == 0
    assert swept(state) == [("0",), ("1",)]
    assert all("++training.optimizer.lr=0.3" in job["overrides"] for job in state()["jobs"])


def test_values_on_the_command_line_replace_those_of_a_key(carried, state):
    assert carried("-m", "training.optimizer.lr=0.3,0.4") == 0
    assert sorted(swept(state)) == [("0.3", "0"), ("0.3", "1"), ("0.4", "0"), ("0.4", "1")]


def test_with_every_key_fixed_or_without_the_sweep_it_is_one_run(carried, project):
    seen = []
    assert carried("training.optimizer.lr=0.3", "seed=4", job=seen.append) == 0
    assert carried("sweep=null", job=seen.append) == 0
    assert [recipe.seed for recipe in seen] == [4, 0]
    assert [recipe.sweep for recipe in seen] == [None, None]
    assert not (project / "runs" / "sweeps").exists()


def test_the_best_command_line_of_several_recipes_starts_no_sweep(carried, project, monkeypatch, capsys):
    from totalml.compose import main
    from totalml.sweep import sweep

    assert main(project, live, ["-m", "+recipe=glob(*)", "seed=1,2"], sweep=sweep) == 0
    assert "Best: python run.py +recipe=photos seed=1 sweep=null" in capsys.readouterr().out


def test_the_sweep_changes_no_config_hash(carried, project):
    from totalml.compose import compose_recipe
    from totalml.identity import config_hash
    from totalml.recipe import what

    with_it = compose_recipe(project, ["+recipe=photos"])
    assert with_it.sweep is not None
    without = compose_recipe(project, ["+recipe=photos", "sweep=null"])
    assert config_hash(what(with_it)) == config_hash(what(without))


def test_a_setting_of_the_sweep_can_be_given(carried, state, capsys):
    pytest.importorskip("optuna")
    assert carried("sweep.sampler=optuna", "sweep.trials=3", "sweep.metric=accuracy") == 0
    assert (state()["sampler"], len(state()["jobs"]), state()["metric"]) == ("optuna", 3, "accuracy")
    assert carried("hydra/sweeper=optuna", "hydra.sweeper.trials=2") == 0
    assert len(state()["jobs"]) == 2


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  trails: 3", "recipes/photos.yaml:16: unknown key 'sweep.trails', did you mean 'trials'?"),
        ("  metric: accuracyy", "did you mean 'accuracy'?"),
        ("    training.optimizer.lrr: 1,2", "AdamW takes no argument 'lrr', did you mean 'lr'?"),
        ("    training.epochs: '1,[2'", "training.epochs"),
        ("    training.epochs: 3", "should be a valid string, got 3"),
    ],
)
def test_a_mistake_in_it_is_told_before_anything_starts(carried, project, capsys, line, expected):
    file = project / "recipes" / "photos.yaml"
    text = file.read_text()
    file.write_text(f"{text}{line}\n" if line.startswith("    ") else text.replace("  sampler: grid", line))
    seen = []
    assert carried(job=seen.append) == 2
    said = capsys.readouterr().err
    assert (seen, "Traceback" in said) == ([], False)
    assert expected in said


@pytest.mark.slow
def test_the_committed_recipe_sweeps_from_end_to_end(tmp_path):
    pytest.importorskip("optuna")
    small = ["data.source.count=40", "training.epochs=1", "training.batch_size=8", "model=small_cnn"]
    where = [f"runtime.store={tmp_path / 'store'}", f"runtime.runs={tmp_path / 'runs'}", "tracking=none"]
    command = [*python(), "run.py", "+recipe=guinness_sweep", *small, "sweep.trials=3", *where]
    runs = [
        subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
        for _ in range(2)
    ]
    assert [run.returncode for run in runs] == [0, 0], runs[0].stderr
    (file,) = tmp_path.glob("runs/sweeps/guinness_sweep/*/sweep.json")
    jobs = json.loads(file.read_text())["jobs"]
    assert [job["status"] for job in jobs] == ["finished"] * 3
    best = min(jobs, key=lambda job: job["metric"])
    assert runs[0].stdout.splitlines()[1].split()[0] == str(best["number"])
    facts = json.loads((Path(best["folder"]) / "run.json").read_text())
    history = json.loads((Path(best["folder"]) / "training.json").read_text())["history"]
    assert min(epoch["validation_loss"] for epoch in history) == best["metric"]
    assert facts["command"].startswith("python run.py +recipe=guinness_sweep data.source.count=40")
    assert f"training.optimizer.lr={best['parameters']['training.optimizer.lr']}" in facts["command"]
    assert len(list((tmp_path / "store").glob("features/*/segments/*"))) == 1
    assert "epoch" not in runs[1].stderr


def test_a_value_that_is_wrong_is_told_at_its_line_before_any_job_starts(project, start, capsys):
    file = project / "recipes" / "photos.yaml"
    parameters = "{training.optimizer: '{_target_: torch.hub.load}', training.epochs: '1,many', model: 'mlp,mpl'}"
    file.write_text(f"{file.read_text()}sweep:\n  sampler: grid\n  parameters: {parameters}\n")
    line = len(file.read_text().splitlines())
    assert start(job=pytest.fail) == 2
    said = capsys.readouterr().err.splitlines()
    assert f"recipes/photos.yaml:{line}: 'torch.hub.load' is not allowed; name a component" in said[0]
    assert any(
        each.startswith(f"recipes/photos.yaml:{line}: there is no option of group 'model' 'mpl'") for each in said
    )


def test_what_the_recipe_leaves_open_may_be_swept_on_the_command_line(carried, project, state):
    file = project / "recipes" / "photos.yaml"
    photos = str(project / "photos")
    file.write_text(file.read_text().replace(f"root: {photos}\n", "root: ???\n"))
    assert carried("-m", f"data.source.root={photos},{photos}/../photos", "seed=0") == 0
    assert len(swept(state)) == 4
