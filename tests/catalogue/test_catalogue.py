"""Shared features can be found, begun, compared and computed by name."""

import json
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

import totalml.embedding
import totalml.features
from tests.projects import REPOSITORY, commit, replace, write_recipe
from totalml.catalogue.features_new import KINDS, scaffold
from totalml.catalogue.figures import figures_of
from totalml.compose import compose_recipe
from totalml.compose.shared import shared_feature
from totalml.kinds import SharedFeature
from totalml.runs.stored import recipe_text

RAIN = """\
_target_: totalml.features.Window
owner: met@example.org
description: rain that fell
unit: mm
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
  - override /data: table
  - override /features: table
  - override /model: mlp
  - override /task: regression
  - _self_

name: pints
data:
  source:
    table: pints.csv
task:
  targets: [sold]
features:
  table:
    numeric: [price]
  shared: [weather/rain]
"""
FILE = "conf/shared/weather/rain.yaml"
RUN = "runs/pints/0123abcd-4567cdef/1"


@pytest.fixture
def rainy(project):
    """One recipe that names weather/rain, which has a source of its own, committed."""
    (project / FILE).parent.mkdir()
    (project / FILE).write_text(RAIN.format(folder=project))
    days = [f"2024-03-0{day},{region},{day * wet}" for region, wet in (("cork", 2), ("kerry", 1)) for day in (1, 2, 3)]
    (project / "rain.csv").write_text("\n".join(["day,region,rain", *days]))
    write_recipe(project, "pints", RECIPE)
    commit(project)
    return project


def written_run(project):
    """What a run of the recipe would have left of its recipe."""
    (project / RUN).mkdir(parents=True)
    (project / RUN / "recipe.yaml").write_text(recipe_text(compose_recipe(project, ["+recipe=pints"])))


def test_the_list_tells_how_fresh_each_is_and_in_how_much_it_is_used(rainy, totalml):
    written_run(rainy)
    (before,) = json.loads(totalml("features", "list", "weather", "--json"))
    assert (before["fresh"], before["recipes"], before["runs"], before["releases"]) == ("not materialised", 1, 1, 0)
    totalml("features", "materialize")
    (after,) = json.loads(totalml("features", "list", "weather", "--json"))
    assert after["latest"] == "2024-03-03T00:00:00+00:00"
    assert after["fresh"] == "until 2024-03-03 00:00, older than its ttl of 1d"
    shown = totalml("features", "list")
    assert re.search(r"calendar\n  season +Calendar", shown)
    assert re.search(r"weather\n  rain +Window +mm +met@example.org .* rain that fell", shown)


def test_what_is_kept_is_not_computed_again_and_a_longer_source_is(rainy, totalml):
    assert "6 rows computed" in totalml("features", "materialize", "weather/rain")
    assert "6 rows were kept already" in totalml("features", "materialize", "weather/rain")
    with (rainy / "rain.csv").open("a") as file:
        file.write("\n2024-03-04,cork,9")
    assert "7 rows computed" in totalml("features", "materialize", "weather/rain")


def test_a_definition_that_does_not_fit_its_source_is_told_by_name(rainy, totalml):
    replace(rainy / FILE, "column: rain", "column: snow")
    said = totalml("features", "materialize", expect=6)
    assert "shared feature 'weather/rain': the rows have no column 'snow'" in said


def test_it_shows_the_definition_its_figures_and_what_uses_it(rainy, totalml):
    written_run(rainy)
    totalml("features", "materialize")
    replace(rainy / FILE, "last: 2d", "last: 1d")
    shown = totalml("features", "show", "weather/rain")
    assert "last: 1d" in shown
    assert "no rows of it are in the store" in shown
    assert re.search(r"recipe  pints +[0-9a-f]{8}\n", shown)
    id_ = re.search(r"run     pints/0123abcd-4567cdef/1  ([0-9a-f]{8})  another definition", shown)[1]
    old = totalml("features", "show", f"weather/rain@{id_}")
    assert "last: 2d" in old
    assert "6 rows of 2 entities, 2024-03-01 00:00 to 2024-03-03 00:00 UTC" in old
    assert re.search(r"sum +6 +0 +4.5 +1 +1.25 +4 +9 +10", old)  # of 2 6 10, 1 3 5


def test_a_difference_tells_keys_and_the_values_that_moved(rainy, totalml):
    totalml("features", "materialize")
    replace(rainy / FILE, "last: 2d", "last: 1d")
    replace(rainy / FILE, "unit: mm", "unit: cm")
    said = totalml("features", "diff", "weather/rain@main", "weather/rain")
    assert '    unit: "mm" → "cm"\n    last: "2d" → "1d"\n' in said
    # Sums of two days 2 6 10, 1 3 5 become 2 4 6, 1 2 3.
    assert re.search(r"sum +6 +4 +4.5 +3 +4\n", said)


def test_equal_definitions_do_not_differ(rainy, totalml):
    said = totalml("features", "diff", "weather/rain@main", "weather/rain")
    assert "one id" in said
    assert "none differs" in said


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("weather/ran", "there is no shared feature 'weather/ran' in conf/shared/, did you mean 'weather/rain'?"),
        ("rain", "'rain' names no shared feature; give team/name, team/name@id with 8 digits"),
        ("weather/rain@0123abcd", "'0123abcd' is no id of weather/rain that a file, run, release or the store knows"),
        ("weather/snow@main", "main has no conf/shared/weather/snow.yaml"),
    ],
)
def test_what_is_not_there_is_told(rainy, totalml, asked, message):
    assert message in totalml("features", "show", asked, expect=2)


def kinds():
    rooms = (totalml.features, totalml.embedding)
    found = [getattr(room, name) for room in rooms for name in room.__all__]
    return {each.__name__ for each in found if isinstance(each, type) and issubclass(each, SharedFeature)}


def test_every_kind_can_be_begun_and_what_is_written_is_valid(project, totalml):
    assert {*KINDS} == kinds()
    for kind in KINDS:
        totalml("features", "new", f"weather/{kind.lower()}", "--kind", kind)
        assert type(shared_feature(project, f"weather/{kind.lower()}")).__name__ == kind


def test_nothing_that_is_there_is_overwritten(rainy, totalml):
    before = (rainy / FILE).read_text()
    assert "is there already" in totalml("features", "new", "weather/rain", "--kind", "Lags", expect=2)
    assert (rainy / FILE).read_text() == before


def test_a_name_leads_nowhere_else(project, totalml):
    for name in ("../x/y", "weather/../../x", "Weather/rain", "rain"):
        assert "cannot be a shared feature's name" in totalml("features", "new", name, "--kind", "Lags", expect=2)
    assert "did you mean 'Lags'?" in totalml("features", "new", "a/b", "--kind", "Lag", expect=2)


def test_an_owner_of_any_name_is_written_as_yaml(project):
    (project / "conf/shared/a").mkdir()
    (project / "conf/shared/a/b.yaml").write_text(scaffold("Lags", 'ann: "#1" O\'Neill'))
    assert shared_feature(project, "a/b").owner == 'ann: "#1" O\'Neill'


def test_figures_are_those_of_the_values_that_are_there():
    when = pa.array([0, 5_000_000, 2_000_000], pa.timestamp("us", "UTC"))
    values = pa.table({"entity.r": ["a", "a", "b"], "event_time": when, "value.x": [1.0, None, 4.0]})
    found = figures_of(values)
    assert (found.rows, found.entities, (found.last - found.first).total_seconds()) == (3, 2, 5)
    (part,) = found.parts
    assert (part.count, part.missing, part.mean) == (2, 1, 2.5)
    np.testing.assert_allclose(part.quantiles, np.quantile([1, 4], [0, 0.05, 0.5, 0.95, 1]))


def test_the_list_is_made_without_torch():
    code = (
        "import sys; from totalml.cli import main\n"
        "code = main(['features', 'list'])\n"
        "sys.exit(str(heavy) if (heavy := {'torch', 'lightning', 'pandas'} & set(sys.modules)) else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "spend_tv" in done.stdout
