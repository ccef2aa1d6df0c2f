"""A grid is every combination, looked at before anything starts, and done once."""

import itertools
import json
import shlex

import pytest

from tests.sweep.planted import live, loss_of
from totalml.compose import main
from totalml.sweep import sweep


def test_a_grid_is_the_product_of_its_values(start):
    seen = []
    rates, seeds, epochs = ["0.1", "0.2"], ["1", "2"], ["1", "5"]
    arguments = ["training.optimizer.lr=0.1,0.2", "seed=range(1,3)", "training.epochs=choice(1,5)"]
    assert start("-m", *arguments, job=seen.append) == 0
    found = [(str(each.training.optimizer.arguments["lr"]), str(each.seed), str(each.training.epochs)) for each in seen]
    assert sorted(found) == sorted(itertools.product(rates, seeds, epochs))


def test_jobs_are_ranked_and_the_best_one_is_named(start, state, capsys):
    assert start("-m", "training.optimizer.lr=0.5,0.012,0.001") == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].split() == ["job", "training.optimizer.lr", "validation_loss", "time", "how"]
    assert [line.split()[1] for line in lines[1:4]] == ["0.012", "0.001", "0.5"]
    assert lines[1].split()[2] == f"{loss_of(0.012):.4g}"
    assert lines[4] == "Best: python run.py +recipe=photos training.optimizer.lr=0.012"
    assert [job["status"] for job in state()["jobs"]] == ["finished"] * 3


def test_the_command_line_of_the_best_is_that_very_run(start, state, capsys):
    start("-m", "training.optimizer.lr=0.5,0.012")
    folder = next(job["folder"] for job in state()["jobs"] if job["parameters"]["training.optimizer.lr"] == "0.012")
    seen = []
    assert start("training.optimizer.lr=0.012", job=lambda recipe: seen.append(live(recipe))) == 0
    assert [str(path) for path in seen] == [folder]


@pytest.mark.parametrize("sweeper", ["grid", "optuna"])
def test_the_command_line_of_the_best_of_several_processes_is_that_very_run(start, state, capsys, monkeypatch, sweeper):
    pytest.importorskip("joblib" if sweeper == "grid" else "optuna")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")  # what a run alone would take
    chosen = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", f"hydra/sweeper={sweeper}"]
    rates = ["0.5,0.012"] if sweeper == "grid" else ["interval(0.01,0.5)", "hydra.sweeper.trials=2"]
    assert start("-m", *chosen, f"training.optimizer.lr={rates[0]}", *rates[1:]) == 0
    (best,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Best: ")]
    seen = []
    _, _, _, *arguments = shlex.split(best.removeprefix("Best: "))
    assert start(*arguments, job=lambda recipe: seen.append(live(recipe))) == 0
    assert str(seen[0]) == min(state()["jobs"], key=lambda job: job["metric"])["folder"]


def test_nothing_starts_if_one_job_is_wrong_and_all_mistakes_are_told(start, capsys):
    seen = []
    code = start("-m", "training.epochs=1,0,x", "seed=-1,1", job=seen.append)
    said = capsys.readouterr().err
    assert (code, seen) == (2, [])
    assert "'training.epochs' should be greater than 0, got 0" in said
    assert "in the job seed=-1 training.epochs=0" in said or "in the job training.epochs=0 seed=-1" in said
    assert "'training.epochs' should be a valid integer, got 'x'" in said
    assert "'seed' should be greater than or equal to 0, got -1" in said
    assert "Traceback" not in said


def test_finished_jobs_are_not_run_again_by_another_sweep(start, state):
    assert start("-m", "training.optimizer.lr=0.1,0.2") == 0
    seen = []

    def job(recipe):
        seen.append(recipe)
        return live(recipe)

    assert start("-m", "training.optimizer.lr=0.3,0.2,0.1", job=job) == 0
    assert len(seen) == 1
    assert [(job["parameters"]["training.optimizer.lr"], job["reused"]) for job in state()["jobs"]] == [
        ("0.3", False),
        ("0.2", True),
        ("0.1", True),
    ]
    assert [job["metric"] for job in state()["jobs"]] == [loss_of(rate) for rate in (0.3, 0.2, 0.1)]


def test_a_run_that_lost_its_weights_is_no_finished_job(start, project):
    start("-m", "training.optimizer.lr=0.1,0.2")
    next(project.glob("runs/photos/*/1/model.safetensors")).unlink()
    seen = []
    start("-m", "training.optimizer.lr=0.1,0.2", job=seen.append)
    assert len(seen) == 1


def test_other_data_is_another_run(start, project):
    start("-m", "training.optimizer.lr=0.1,0.2")
    next((project / "photos").rglob("*.png")).unlink()
    seen = []
    start("-m", "training.optimizer.lr=0.1,0.2", job=seen.append)
    assert len(seen) == 2


def test_an_interval_is_refused_with_the_way_out(start, capsys):
    assert start("-m", "training.optimizer.lr=interval(0.1,0.2)") == 2
    assert "hydra/sweeper=optuna" in capsys.readouterr().err


def test_jobs_are_ranked_by_another_metric(start, capsys):
    assert start("-m", "training.optimizer.lr=0.5,0.012", "hydra.sweeper.metric=accuracy") == 0
    assert capsys.readouterr().out.splitlines()[1].split()[1:3] == ["0.012", f"{1 - loss_of(0.012) / 10:.4g}"]
    assert start("-m", "training.optimizer.lr=0.5", "hydra.sweeper.metric=accuracyy") == 2
    assert "did you mean 'accuracy'" in capsys.readouterr().err


def test_several_recipes_are_one_sweep(project, state, monkeypatch):
    monkeypatch.chdir(project)
    (project / "recipes" / "other.yaml").write_text("defaults:\n  - photos\n  - _self_\nname: other\n")
    assert main(project, live, ["-m", "+recipe=glob(*)", "training.optimizer.lr=0.1"], sweep=sweep) == 0
    assert [job["parameters"]["recipe"] for job in state()["jobs"]] == ["other", "photos"]
    assert state()["name"] == "several_recipes"


def test_a_missing_package_is_named_with_its_extra(start, capsys, monkeypatch):
    from totalml.sweep import start as starting

    monkeypatch.setattr(starting, "find_spec", lambda _: None)
    for launcher, extra in (("joblib", "sweep"), ("submitit_slurm", "slurm"), ("ray", "ray")):
        assert start("-m", f"hydra/launcher={launcher}", "seed=1,2") == 10
        assert f'"totalml[{extra}]"' in capsys.readouterr().err


def test_reused_jobs_need_no_torch(project):
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from totalml.compose import main; from totalml.sweep import sweep\n"
        "from tests.sweep.planted import live\n"
        f"code = main(Path({str(project)!r}), live, sys.argv[1:], sweep=sweep)\n"
        "heavy = {'torch', 'torchvision', 'lightning', 'optuna', 'joblib', 'submitit'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else code)"
    )
    command = [sys.executable, "-c", code, "-m", "+recipe=photos", "training.optimizer.lr=0.1,0.2"]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
    assert sum(line.endswith("reused") for line in done.stdout.splitlines()) == 2


def test_the_state_is_json_that_tells_every_job(start, project):
    start("-m", "training.optimizer.lr=0.1,0.2")
    (file,) = (project / "runs" / "sweeps").glob("photos/*/sweep.json")
    kept = json.loads(file.read_text())
    assert kept["sweep_id"] == file.parent.name
    assert {job["run_id"] for job in kept["jobs"]} == {path.name for path in (project / "runs" / "photos").iterdir()}
    assert (file.parent / "sweep.html").is_file()
    assert (file.parent / "1.log").read_text().startswith("--- job 1 of 2: training.optimizer.lr=0.1")


def test_a_sweep_whose_runs_lie_elsewhere_keeps_its_state_in_what_stands_before_them(start, project):
    where = [f"runtime.runs=file://{project}/there", f"runtime.cache={project}/cache"]
    assert start("-m", "training.optimizer.lr=0.1,0.2", *where) == 0
    assert len(list(project.glob("cache/*/sweeps/photos/*/sweep.html"))) == 1
    assert not (project / "file:").exists()


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("hydra.sweeper.trials=x", "hydra.sweeper.trials should be a number of jobs from 1, got 'x'"),
        ("hydra.sweeper.trials=0", "hydra.sweeper.trials should be a number of jobs from 1, got 0"),
        ("hydra.sweeper.parallel=-1", "hydra.sweeper.parallel should be a number of jobs from 1, or null, got -1"),
        ("hydra.sweeper.prune=3", "hydra.sweeper.prune should be true or false, got 3"),
        ("hydra.sweeper.direction=up", "hydra.sweeper.direction should be minimize or maximize, got 'up'"),
        ("hydra.launcher.n_jobs=x", "hydra.launcher.n_jobs should be a number of processes, or -1 for all cores"),
    ],
)
def test_odd_settings_of_a_sweep_are_refused_before_anything_starts(start, capsys, setting, told):
    pytest.importorskip("optuna")
    chosen = ["hydra/sweeper=optuna", *(["hydra/launcher=joblib"] if "launcher" in setting else [])]
    seen = []
    assert start("-m", *chosen, setting, "training.optimizer.lr=0.1,0.2", job=seen.append) == 2
    assert (told in capsys.readouterr().err, seen) == (True, [])
