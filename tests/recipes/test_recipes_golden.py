"""Each smoke recipe composes to what was reviewed, and reaches what it reached, within its tolerance.

Renew after a change that is meant: python -m pytest tests/recipes --force-regen
"""

import json
from pathlib import Path

import pytest

from tests.report.test_report_planted import named
from totalml.authoring.check import never_shown
from totalml.authoring.golden import composed_form, composed_name, composed_text, metric_columns, metrics_name
from totalml.authoring.golden import read_metrics_text as read_golden
from totalml.comparison.composed import Composed, compose_all
from totalml.comparison.metrics import read_metrics
from totalml.evaluation.record import record_of
from totalml.target import component_class

REPOSITORY = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_suffix("")
COMPOSED = {name: each for name, each in compose_all(REPOSITORY).items() if each.values}
SMOKE = {name: each for name, each in COMPOSED.items() if each.values["smoke"]}

smoke_recipes = pytest.mark.parametrize(("name", "recipe"), SMOKE.items(), ids=SMOKE)


def test_there_is_a_smoke_recipe():
    assert "guinness_smoke" in SMOKE


def test_no_recipe_shows_reviewers_what_no_request_brings():
    assert {name: told for name, each in COMPOSED.items() if (told := never_shown(each.values))} == {}


@smoke_recipes
def test_it_composes_to_what_was_reviewed(name: str, recipe: Composed, data_regression):
    data_regression.check(composed_form(recipe), basename=composed_name(name))


@pytest.mark.slow
@smoke_recipes
def test_its_data_is_what_it_was(name: str, recipe: Composed, smoke_run, data_regression):
    run = json.loads((smoke_run(name) / "run.json").read_text())
    assert run["config_hash"] == recipe.config_hash
    data_regression.check({"data_hash": run["data_hash"]}, basename=f"{name}_data")


@pytest.mark.slow
@smoke_recipes
def test_it_reaches_what_it_reached(name: str, recipe: Composed, smoke_run, num_regression):
    reached = metric_columns(read_metrics(smoke_run(name) / "metrics.json"))
    allowed = {"atol": recipe.values["tolerance"]["metrics"], "rtol": 0}
    num_regression.check(reached, basename=metrics_name(name), default_tolerance=allowed)


@pytest.mark.slow
def test_a_drill_finds_what_it_found(smoke_run, num_regression):
    drill = json.loads((smoke_run("guinness_drill_smoke") / "drill.json").read_text())
    judged = sorted(drill["judged"], key=lambda each: each["detector"])
    found = [(each["detector"], one) for each in judged for one in each["found"]]
    reached = {f"{detector}: {one['scenario']}": one["alarmed"] for detector, one in found}
    right = {f"right: {each['population']}": each["accuracy"]["value"] for each in drill["measured"]}
    # Six histories of each scenario, of a model that another machine trains a little otherwise.
    num_regression.check({**right, **reached}, default_tolerance={"atol": 0.25, "rtol": 0})


@smoke_recipes
def test_the_golden_files_can_be_read_back(name: str, recipe: Composed):
    """`totalml recipe new` writes the one, `totalml recipe diff` reads the other."""
    assert composed_text(recipe) == (GOLDEN / f"{composed_name(name)}.yml").read_text()
    metrics = read_golden((GOLDEN / f"{metrics_name(name)}.csv").read_text())
    headline = metrics[record_of(component_class(recipe.values["task"]["_target_"]).name).headline]
    assert headline.low <= headline.value <= headline.high


@pytest.mark.slow
def test_the_report_of_the_smoke_recipe_names_no_fault(smoke_run):
    assert named((smoke_run("guinness_smoke") / "report.html").read_text()) == set()


@pytest.mark.slow
def test_the_heads_of_pints_are_told_better_than_by_one_answer(smoke_run):
    reached = json.loads((smoke_run("guinness_head") / "metrics.json").read_text())
    assert reached["metrics"]["mae"]["high"] < reached["always_mae"]
