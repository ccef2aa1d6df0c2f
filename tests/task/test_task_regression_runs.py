"""A whole run of the regression: the same again, found again, and stopped half-way to the same weights."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.stages.conftest import REPOSITORY, Project
from totalml.compose import compose_recipe
from totalml.evaluation import Evaluation
from totalml.runner import run
from totalml.store import atomic, writer

SMALL = ["+recipe=guinness_head", "data.source.count=80", "training.epochs=2", "runtime.threads=1", "tracking=none"]


class Stopped(BaseException):
    """Nothing catches it."""


class Heads(Project):
    def recipe(self, *overrides: str):
        where = [f"runtime.store={self.store}", f"runtime.runs={self.runs}", "runtime.progress=none"]
        return compose_recipe(REPOSITORY, [*SMALL, *where, *overrides])


@pytest.fixture(scope="module")
def heads(tmp_path_factory) -> Heads:
    made = Heads(tmp_path_factory.mktemp("heads"))
    made.go()
    return made


def test_a_run_leaves_numbers_intervals_and_a_report(heads):
    folder = run(heads.recipe())
    evaluation = Evaluation.load(folder)
    predictions = evaluation.predictions
    assert {"id", "truth", "value", "lower", "upper", "group:glass"} <= set(predictions.column_names)
    errors = predictions["value"].to_numpy() - predictions["truth"].to_numpy()
    assert evaluation.metrics["mae"].value == pytest.approx(np.abs(errors).mean())
    said = json.loads((folder / "metrics.json").read_text())
    assert said["unit"] == "mm"
    for name in ("report.html", "MODEL_CARD.md"):
        page = " ".join((folder / name).read_text().replace("\\", "").split())
        assert f"Off by {evaluation.metrics['mae'].value:.3g} mm" in page


def test_the_truth_is_what_the_pints_were_drawn_with(heads):
    from recipes.guinness.pint import draw_pints

    drawn = draw_pints(0, 0, 80).head_mm.astype(np.float32)
    predictions = Evaluation.load(run(heads.recipe())).predictions
    rows = [int(name.removeprefix("pint-")) for name in predictions["id"].to_pylist()]
    assert predictions["truth"].to_numpy() == pytest.approx(drawn[rows])


def test_the_same_recipe_in_another_place_comes_to_equal_weights(heads, tmp_path):
    ours, theirs = heads.go(), Heads(tmp_path).go()
    assert theirs["run_id"] == ours["run_id"]
    assert theirs["outputs"] == ours["outputs"]


def test_another_figure_reuses_the_trained_model(heads):
    again = heads.go("evaluation.bootstrap=10")
    assert again["stages"]["training"]["reused"]
    assert again["outputs"] == heads.go()["outputs"]


def test_stopped_after_an_epoch_the_same_call_goes_on_to_equal_weights(heads, tmp_path, monkeypatch, capsys):
    stopped = Heads(tmp_path)
    sync = atomic.sync

    def stop_once_an_epoch_is_kept(descriptor: int) -> None:
        if list(stopped.runs.glob("*/*/*/checkpoints/last.ckpt")):
            raise Stopped
        sync(descriptor)

    for module in (atomic, writer):
        monkeypatch.setattr(module, "sync", stop_once_an_epoch_is_kept)
    with pytest.raises(Stopped):
        stopped.go()
    monkeypatch.undo()
    facts = stopped.go("runtime.progress=plain")
    assert "going on after epoch 1" in capsys.readouterr().err
    assert facts["outputs"] == heads.go()["outputs"]
    assert len(list(stopped.runs.glob("*/*/*/run.json"))) == 1


@pytest.mark.parametrize("loss", ["squared", "quantile"])
def test_every_loss_trains_to_values_and_intervals(heads, loss):
    folder = run(
        heads.recipe(
            f"task.loss={loss}",
            "task.targets=[head_mm,dome_mm]",
            "evaluation=quick",
            "evaluation.positive=null",
            "evaluation.gold_column=null",
        )
    )
    evaluation = Evaluation.load(folder)
    low, said, high = (evaluation.column(part) for part in ("lower", "value", "upper"))
    assert ((low <= said) & (said <= high)).all()
    assert {"truth:head_mm", "upper:dome_mm"} <= set(evaluation.predictions.column_names)
    assert Path(folder, "report.html").exists()
