"""The recipes of marketing run whole: on the market that is drawn, and on somebody's own table."""

import csv
import json
from pathlib import Path

from recipes.marketing.source import MarketSource
from totalml.compose import compose_recipe
from totalml.runner import run

REPOSITORY = Path(__file__).parents[3]
COLUMNS = ("region", "sales", "spend_tv", "spend_search")


def test_the_smoke_of_marketing_plans_every_channel(smoke_run):
    folder = smoke_run("marketing_smoke")
    plan = json.loads((folder / "plan.json").read_text())
    assert set(plan["advice"]["factors"]) == {"tv", "radio", "outdoor", "search", "social"}
    assert plan["advice"]["cost"] <= plan["advice"]["budget"]
    assert plan["truth"]["gain"] <= plan["truth"]["best_gain"]


def test_a_table_of_ones_own_with_other_channels_is_planned(tmp_path):
    table = tmp_path / "spend.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", *COLUMNS])
        for sample in MarketSource(regions=4, years=3).samples():
            writer.writerow([sample.timestamp.date(), *(sample.metadata[name] for name in COLUMNS)])
    chosen = [
        "+recipe=marketing_table",
        f"data.source.table={table}",
        "plan.value=3.5",
        "features.shared=[marketing/spend_tv,marketing/spend_search]",
        *(f"~plan.levers.{name}" for name in ("radio", "outdoor", "social")),
        *("gates=[]", "training.epochs=2", "model.members=4", "evaluation.bootstrap=20"),
        *(f"runtime.{place}={tmp_path}/{place}" for place in ("store", "runs")),
        *("registry=null", "tracking=none", "runtime.progress=none", "runtime.threads=1"),
    ]
    folder = run(compose_recipe(REPOSITORY, chosen))
    plan = json.loads((folder / "plan.json").read_text())
    assert set(plan["advice"]["factors"]) == {"tv", "search"}
    assert plan["truth"] is None
