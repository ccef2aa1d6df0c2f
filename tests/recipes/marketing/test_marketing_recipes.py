"""The recipes of marketing run whole: on the market that is drawn, and on somebody's own table."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from recipes.marketing.source import MarketSource
from recipes.marketing.start import main as start
from totalml.compose import compose_recipe
from totalml.errors import RecipeError
from totalml.runner import run

REPOSITORY = Path(__file__).parents[3]
COLUMNS = ("region", "sales", "spend_tv", "spend_search")


def test_the_smoke_of_marketing_plans_every_channel(smoke_run):
    folder = smoke_run("marketing_smoke")
    plan = json.loads((folder / "plan.json").read_text())
    assert set(plan["advice"]["factors"]) == {"tv", "radio", "outdoor", "search", "social"}
    assert plan["advice"]["cost"] <= plan["advice"]["budget"]
    assert plan["truth"]["gain"] <= plan["truth"]["best_gain"]


@pytest.fixture
def table(tmp_path) -> Path:
    """Of channels that the example does not have."""
    path = tmp_path / "spend.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "region", "sales", "spend_e-mail", "spend_2nd screen"])
        for sample in MarketSource(regions=4, years=3).samples():
            writer.writerow([sample.timestamp.date(), *(sample.metadata[name] for name in COLUMNS)])
    return path


@pytest.fixture
def project(tmp_path) -> Path:
    for name in ("conf", "recipes"):
        shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_a_table_of_ones_own_has_a_recipe_at_once_and_a_plan(project, table, tmp_path, monkeypatch):
    monkeypatch.chdir(project)
    assert start([str(table), "my_market", "--value", "3.5"]) == 0
    chosen = [
        "+recipe=my_market",
        *("gates=[]", "training.epochs=2", "model.members=4", "evaluation.bootstrap=20"),
        *(f"runtime.{place}={tmp_path}/{place}" for place in ("store", "runs")),
        *("registry=null", "tracking=none", "runtime.progress=none", "runtime.threads=1"),
    ]
    folder = run(compose_recipe(project, chosen))
    plan = json.loads((folder / "plan.json").read_text())
    assert set(plan["advice"]["factors"]) == {"e_mail", "channel_2nd_screen"}
    assert (plan["value"], plan["truth"]) == (3.5, None)


def test_a_table_of_ones_own_is_asked_what_its_sales_are_worth_and_what_moves_them():
    with pytest.raises(RecipeError) as caught:
        compose_recipe(REPOSITORY, ["+recipe=marketing_table", "data.source.table=x.csv"])
    for key in ("features.shared", "plan.value", "plan.levers"):
        assert f"'{key}' has no value yet (???)" in str(caught.value)
