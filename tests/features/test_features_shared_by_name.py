"""A feature that one team defines is used in recipes of others by its name."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.features.rows_of_series import listed
from tests.projects import new_project
from totalml.compose import compose_recipe
from totalml.data import take_snapshot
from totalml.features import Window, build_features
from totalml.features.shared.columns import rows_of
from totalml.store import Store

RAIN = """\
_target_: totalml.features.Window
owner: met@example.org
source:
  _target_: totalml.data.ImageTable
  table: {folder}/rain.csv
  file_column: null
  timestamp_column: day
entity: [region]
column: rain
last: 2d
of: [sum]
ttl: 1d
"""
RECIPE = """\
defaults:
  - table
  - override /task: regression
  - _self_

name: {name}
data:
  source:
    table: {folder}/{name}.csv
    timestamp_column: day
task:
  targets: [sold]
features:
  table:
    numeric: [price]
  shared: [weather/rain]
"""
TABLE = (Path(__file__).parents[2] / "recipes" / "table.yaml").read_text()
LEAST = {"cork": 10, "kerry": 0}  # rain of each region on the first day; a unit more on each
DAYS = [date(2024, 3, 1) + timedelta(days=day) for day in range(5)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    recipes = {name: RECIPE.format(name=name, folder=tmp_path) for name in ("pints", "umbrellas")}
    project = new_project(tmp_path / "project", {"table": TABLE, **recipes})
    definition = project / "conf" / "shared" / "weather" / "rain.yaml"
    definition.parent.mkdir(parents=True)
    definition.write_text(RAIN.format(folder=tmp_path))
    rain = [
        f"{day},{region},{place + 10 * (region == 'cork')}"
        for region in ("cork", "kerry")
        for place, day in enumerate(DAYS)
    ]
    (tmp_path / "rain.csv").write_text("\n".join(["day,region,rain", *rain]))
    for name, region in (("pints", "cork"), ("umbrellas", "kerry")):
        rows = [f"{day}T12:00:00,{region},3,{place}" for place, day in enumerate(DAYS)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["day,region,price,sold", *rows]))
    return project


def test_two_recipes_name_it_and_it_is_computed_once(project, tmp_path, monkeypatch):
    computed = []
    columns = Window.columns

    def counted(self, rows):
        computed.append(len(rows))
        return columns(self, rows)

    monkeypatch.setattr(Window, "columns", counted)
    store = Store(tmp_path / "store")
    for name, expected in (("pints", [10, 21, 23, 25, 27]), ("umbrellas", [0, 1, 3, 5, 7])):
        recipe = compose_recipe(project, [f"+recipe={name}"])
        snapshot = take_snapshot(recipe.data, store)
        features = build_features(recipe.features, recipe.data, recipe.task, snapshot, store)
        assert features.numeric_names == ("price", "weather/rain")
        by_day = dict(zip(listed(rows_of(snapshot), "sold"), features.numeric[:, 1].tolist(), strict=True))
        assert [by_day[place] for place in range(5)] == expected
    assert computed == [10]
