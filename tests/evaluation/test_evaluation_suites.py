"""Deepchecks on the predictions of a whole run; skipped where the extra is not installed."""

import json
import os
import sys
from pathlib import Path

import pytest

from totalml.compose import compose_recipe
from totalml.errors import EvaluationError, MissingExtraError, RecipeError
from totalml.evaluation.suites.measure import check_suites
from totalml.evaluation.suites.record import ModelSuites
from totalml.recipe import DeepchecksRecipe
from totalml.runner import run

# Asking for it before `totalml` does would let it report to its maker.
os.environ.setdefault("DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY", "True")
REPOSITORY = Path(__file__).parents[2]
PLAIN = [f"evaluation.{part}=null" for part in ("explanation", "robustness", "out_of_distribution")]  # for speed
UNREACHABLE = "{check: SimpleModelComparison, limits: {min_allowed_gain: 0.99}, level: %s}"


@pytest.fixture(scope="module", autouse=True)
def _deepchecks():
    import warnings

    with warnings.catch_warnings(action="ignore"):
        pytest.importorskip("deepchecks.vision")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    where = tmp_path_factory.mktemp("deepchecks")

    def recipe(*overrides):
        places = [f"runtime.store={where}/store", f"runtime.runs={where}/runs", "runtime.progress=none"]
        tiny = ["+recipe=guinness_smoke", "quality=none", "evaluation=deepchecks", "training.epochs=1"]
        return compose_recipe(REPOSITORY, [*tiny, *PLAIN, *places, *overrides])

    return recipe


@pytest.fixture(scope="module")
def folder(recipe):
    return run(recipe())


def test_the_report_shows_what_deepchecks_says_of_the_predictions(folder):
    page = (folder / "report.html").read_text()
    section = page.partition('id="deepchecks"')[2].partition("</section>")[0]
    assert "Predictions beside the table" in section
    assert "Predictions beside the pictures" in section
    assert section.count("Simple Model Comparison") == 2
    assert "could not run" not in section
    assert 'href="#deepchecks"' in page


def test_every_check_that_is_asked_is_judged_on_the_test_split(folder):
    suites = ModelSuites.load(folder)
    tabular, vision = suites.suites
    assert {"ROC Report", "Simple Model Comparison", "Weak Segments Performance"} <= {o.check for o in tabular.outcomes}
    assert "PredictionDrift" in tabular.left_out
    assert vision.samples == json.loads((folder / "metrics.json").read_text())["count"]
    figures = suites.figures()
    assert figures["deepchecks.vision.passed"].value == len(vision.of("passed"))
    assert len(figures) == 6


def test_the_area_under_the_curve_is_the_same_as_ours(folder):
    """Independent: deepchecks is given columns in its own order; swapped ones would give 1 minus it."""
    auroc = json.loads((folder / "metrics.json").read_text())["metrics"]["auroc"]["value"]
    [roc] = [one for one in ModelSuites.load(folder).suites[0].outcomes if one.check == "ROC Report"]
    assert f"{auroc:.2f}".rstrip("0") in roc.says


def test_another_limit_asks_again_without_predicting_again(recipe, folder):
    again = run(recipe(f"evaluation.deepchecks.tabular.conditions=[{UNREACHABLE % 'warn'}]"))
    stages = json.loads((again / "run.json").read_text())["stages"]
    assert stages["evaluation"]["reused"]
    assert not stages["deepchecks"]["reused"]
    tabular, vision = ModelSuites.load(again).suites
    assert "Simple Model Comparison" in [one.check for one in tabular.of("failed")]
    assert vision == ModelSuites.load(folder).suites[1]


def test_a_failed_condition_that_stops_leaves_the_report(recipe):
    stopping = recipe(f"evaluation.deepchecks.vision.conditions=[{UNREACHABLE % 'stop'}]")
    with pytest.raises(EvaluationError, match="did not pass 1 conditions of deepchecks:\n  model_evaluation: Simple"):
        run(stopping)
    runs = Path(stopping.runtime.runs)
    failed = [file.parent for file in runs.glob("*/*/*/run.json") if json.loads(file.read_text())["status"] == "failed"]
    assert [(folder / "report.html").exists() for folder in failed] == [True]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"check": "RocRepor"}, r"evaluation.deepchecks.tabular.conditions: .*did you mean 'RocReport'"),
        ({"check": "RocReport", "limits": {"min_aux": 0.5}}, "no limit 'min_aux'; did you mean 'min_auc'"),
        ({"check": "PredictionDrift"}, "no check 'PredictionDrift'"),
    ],
)
def test_what_deepchecks_does_not_have_is_refused_before_training(asked, message):
    with pytest.raises(EvaluationError, match=message):
        check_suites(DeepchecksRecipe(tabular={"conditions": [asked]}))


def test_without_the_extra_the_run_goes_on_and_the_report_says_so(recipe, monkeypatch):
    for name in ("deepchecks", "deepchecks.tabular", "deepchecks.vision"):
        monkeypatch.setitem(sys.modules, name, None)
    found = run(recipe("seed=3"))
    assert "Not run: evaluation.deepchecks.vision needs the package" in (page := (found / "report.html").read_text())
    assert "python -m pip install &quot;totalml[deepchecks]&quot;" in page
    assert ModelSuites.load(found).figures()["deepchecks.tabular.failed"].value is None
    with pytest.raises(MissingExtraError):
        check_suites(DeepchecksRecipe(vision={"level": "stop"}))


def test_a_recipe_that_asks_for_neither_is_refused(recipe):
    with pytest.raises(RecipeError, match="set 'tabular', 'vision' or both"):
        recipe("evaluation.deepchecks.tabular=null", "evaluation.deepchecks.vision=null")


@pytest.mark.slow
def test_deepchecks_own_page_comes_with_a_reused_stage(recipe):
    suite = "{_target_: totalml.quality.Deepchecks, suite: data_integrity, html: true}"
    asked = f"quality.checks=[{suite}]", "evaluation.deepchecks.vision.html=true"
    names = ("deepchecks-tabular-data_integrity.html", "deepchecks-vision-model_evaluation.html")
    first = run(recipe(*asked))
    again = run(recipe(*asked, "name=renamed"))
    stages = json.loads((again / "run.json").read_text())["stages"]
    assert stages["quality"]["reused"]
    assert stages["deepchecks"]["reused"]
    for name in names:
        assert (first / name).read_bytes() == (again / name).read_bytes()
        assert name in (again / "report.html").read_text()
