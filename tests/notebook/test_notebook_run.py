"""A run from a notebook is the run of the command line, and what it found is held to what it wrote down."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

import totalml
from tests.notebook.conftest import recipe_text
from totalml import lifecycle
from totalml.compose import compose_recipe
from totalml.errors import GateError, Interrupted, RecipeError, StoreError
from totalml.evaluation import Interval
from totalml.notebook import Metrics, Run
from totalml.runner import run as run_py

Finished = Callable[[str], Run]


def test_it_lies_where_the_command_would_put_it_and_says_which_command_that_is(finished: Finished, project: Path):
    run = finished("photos")
    assert run.folder == project / "runs" / "photos" / run.run_id / "1"
    assert (project / ".totalml").is_dir()
    facts = json.loads((run.folder / "run.json").read_text())
    assert facts["command"] == "python run.py +recipe=photos"
    assert "python run.py +recipe=photos" in run.report().path.read_text()


def test_the_process_is_left_as_it_was(project: Path, monkeypatch):
    monkeypatch.chdir(project / "notes")
    arguments = [*sys.argv]
    totalml.run(totalml.compose("photos"))
    assert Path.cwd() == project / "notes"
    assert sys.argv == arguments


def test_the_command_line_finds_the_run_and_so_does_the_notebook(finished: Finished, project: Path, monkeypatch):
    run = finished("photos")
    monkeypatch.chdir(project)
    assert run_py(compose_recipe(project, ["+recipe=photos"])).absolute() == run.folder
    assert totalml.run(totalml.compose("photos")).folder == run.folder
    assert totalml.run(run.recipe).folder == run.folder
    assert [each.folder for each in totalml.runs("photos")] == [run.folder]


def test_it_holds_what_its_files_say(finished: Finished):
    run = finished("photos")
    written = json.loads((run.folder / "metrics.json").read_text())["metrics"]
    assert {name: vars(metric) for name, metric in run.metrics.items()} == written
    assert isinstance(run.predictions, pa.Table)
    assert run.predictions.to_pandas().shape == (run.predictions.num_rows, run.predictions.num_columns)
    assert run.recipe.name == run.name == "photos"
    assert (run.releasable, run.verdict.count) == (True, run.predictions.num_rows)


def test_runs_are_listed_the_newest_first(finished: Finished, project: Path, monkeypatch):
    first = finished("photos")
    monkeypatch.setattr("totalml.runs.attempt.now", lambda: "2999-01-01T00:00:00+00:00")
    second = totalml.run(totalml.compose("photos", "seed=9", f"runtime.runs={project}/runs", project=project))
    try:
        assert [run.folder for run in totalml.runs("photos", project=project)] == [second.folder, first.folder]
    finally:
        second.folder.rename(second.folder.with_name("aside"))  # the other tests know of one run


def test_a_recipe_without_runs_has_none_and_a_wrong_name_is_told(project: Path, tmp_path: Path):
    assert totalml.runs("photos", project=project, runs=tmp_path) == []
    with pytest.raises(RecipeError, match=r"there is no recipe 'photo' and no run of it .*, did you mean 'photos'"):
        totalml.runs("photo", project=project)


def test_a_run_that_may_not_be_released_is_returned_and_says_so(
    finished: Finished, project: Path, tmp_path: Path, monkeypatch, capsys
):
    finished("photos")  # so that the gates alone are new
    monkeypatch.chdir(project)
    (project / "recipes" / "strict.yaml").write_text(recipe_text("photos", at_most=0.0))
    try:
        run = totalml.run(totalml.compose("strict", f"runtime.runs={tmp_path}"))
        assert not run.releasable
        assert [gate.title for gate in run.verdict.not_passed] == ["accuracy at most 0"]
        assert "It may not be released" in capsys.readouterr().out
        with pytest.raises(GateError):
            run_py(compose_recipe(project, ["+recipe=strict", f"runtime.runs={tmp_path}"]))
    finally:
        (project / "recipes" / "strict.yaml").unlink()


def test_an_interrupted_run_goes_on_by_the_same_call(project: Path, tmp_path: Path, monkeypatch):
    recipe = totalml.compose("photos", "seed=5", f"runtime.runs={tmp_path}", project=project)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "build_features", interrupted)
        with pytest.raises(Interrupted, match="interrupted; the same call goes on"):
            totalml.run(recipe)
    (file,) = tmp_path.glob("*/*/*/run.json")
    assert json.loads(file.read_text())["status"] == "interrupted"
    assert totalml.run(recipe).folder == file.parent
    assert json.loads(file.read_text())["status"] == "finished"


def test_what_nothing_has_checked_is_not_run(project: Path):
    recipe = totalml.compose("photos", project=project)
    changed = recipe.model_copy(update={"seed": 3})
    with pytest.raises(RecipeError, match="was changed after it was composed"):
        totalml.run(changed)
    with pytest.raises(RecipeError, match=r"run takes what compose gives, as in run\(compose\('guinness'\)\); got str"):
        totalml.run("photos")  # type: ignore[arg-type]


def test_a_sweep_is_sent_to_the_command_line(project: Path):
    swept = totalml.compose("photos", "+sweep={sampler: grid, parameters: {seed: '1,2'}}", project=project)
    with pytest.raises(RecipeError, match=r"'photos' carries a sweep; run it by: python run.py \+recipe=photos"):
        totalml.run(swept)


def test_another_thread_is_refused(project: Path):
    recipe, told = totalml.compose("photos", project=project), []

    def work() -> None:
        try:
            totalml.run(recipe)
        except RecipeError as error:
            told.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert told == ["a run takes the whole process; call run from the main thread, or start python run.py"]


@pytest.mark.parametrize(
    ("name", "ask"),
    [
        ("metrics.json", lambda run: run.metrics),
        ("predictions.parquet", lambda run: run.predictions),
        ("model.safetensors", lambda run: run.model()),
        ("report.html", lambda run: run.report()),
    ],
)
def test_a_file_that_is_not_what_the_run_wrote_is_named(finished: Finished, project: Path, name: str, ask):
    file = finished("photos").folder / name
    (run,) = totalml.runs("photos", project=project)
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(StoreError, match=f"{name} is not what its run wrote; run the recipe again"):
            ask(run)
        file.unlink()
        with pytest.raises(StoreError, match=f"{name} cannot be read .*; run the recipe again"):
            ask(run)
    finally:
        file.write_bytes(whole)
    ask(run)


def test_metrics_show_themselves_as_a_table():
    metrics = Metrics({"accuracy": Interval(0.5, 0.25, 0.75), "auroc": Interval(None, note="<one class>")})
    lines = [line.split("  ") for line in repr(metrics).splitlines()]
    assert [[word.strip() for word in line if word] for line in lines] == [
        ["metric", "value", "interval"],
        ["accuracy", "50.0\u202f%", "25.0 to 75.0\u202f%"],
        ["auroc", "–", "<one class>"],
    ]
    shown = metrics._repr_html_()
    assert '<th scope="row">accuracy</th><td>50.0\u202f%</td><td>25.0 to 75.0\u202f%</td>' in shown
    assert "&lt;one class&gt;" in shown


def test_nothing_is_imported_before_it_is_needed(finished: Finished, project: Path):
    code = f"""
import sys, totalml
assert not (heavy := {{"torch", "hydra", "pydantic", "pyarrow", "numpy", "IPython"}} & {{*sys.modules}}), heavy
totalml.compose("photos", project={str(project)!r})
run = totalml.runs("photos", project={str(project)!r})[0]
repr(run.metrics), run.releasable, run.recipe, run.report()._repr_html_()
assert not (heavy := {{"torch", "torchvision", "lightning", "pandas"}} & {{*sys.modules}}), heavy
run.predictions
assert not (heavy := {{"torch", "torchvision", "lightning", "pandas"}} & {{*sys.modules}}), heavy
"""
    finished("photos")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
