"""A recipe names shared features; what they are is written out, and mistakes are told where they stand."""

import sys
from pathlib import Path

import pytest
import yaml

from tests.projects import new_project, replace
from totalml.comparison.side import origins_of
from totalml.component import plain
from totalml.compose import compose_recipe
from totalml.compose.shared import shared_feature, shared_features
from totalml.errors import RecipeError
from totalml.fingerprint import feature_id
from totalml.identity import config_hash, short
from totalml.recipe import what
from totalml.runs.stored import recipe_text
from totalml.validate import validate

RECIPE = """\
defaults:
  - table
  - override /task: regression
  - _self_

name: spend
data:
  source:
    table: spend.csv
task:
  targets: [sales]
features:
  table:
    numeric: [price]
  shared: [marketing/spend]
"""
SPEND = """\
_target_: totalml.features.Lags
owner: ann
column: spend
entity: [region]
every: 1w
lags: 2
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    table = (Path(__file__).parents[2] / "recipes" / "table.yaml").read_text()
    project = new_project(tmp_path / "project", {"table": table, "spend": RECIPE})
    define(project, "marketing/spend", SPEND)
    return project


def define(project: Path, name: str, text: str) -> Path:
    file = project / "conf" / "shared" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def composed(project: Path, *overrides: str):
    return compose_recipe(project, ["+recipe=spend", *overrides])


def mistakes_of(project: Path, *overrides: str):
    with pytest.raises(RecipeError) as caught:
        composed(project, *overrides)
    return caught.value.mistakes


def test_names_on_the_command_line_are_looked_for_there_and_their_mistakes_in_their_files(project):
    define(project, "marketing/bad", SPEND.replace("lags: 2", "lags: -2"))
    absent, wrong = mistakes_of(project, "features.shared=[marketing/bad, weather/rain]")
    assert absent.startswith("command line: there is no shared feature 'weather/rain'")
    assert wrong.startswith("conf/shared/marketing/bad.yaml:6: 'lags' should be")


def test_the_definition_is_written_out_and_the_recipe_of_a_run_is_whole_without_its_file(project):
    recipe = composed(project)
    assert recipe.features.shared[0].feature == shared_feature(project, "marketing/spend")
    (project / "conf" / "shared" / "marketing" / "spend.yaml").unlink()
    assert validate(yaml.safe_load(recipe_text(recipe))) == recipe


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("lags: 2", "lags: 3", True),
        ("lags: 2", "lags: 2\nmissing: zero", True),
        ("lags: 2", "lags: 2  # weeks\nmissing: nan\nfirst: 0", False),
        ("owner: ann", "owner: bob\ndescription: what was spent\nunit: EUR", False),
    ],
)
def test_what_is_computed_counts_and_who_answers_for_it_does_not(project, old, new, counts):
    before, id_ = config_hash(what(composed(project))), feature_id(shared_feature(project, "marketing/spend"))
    replace(project / "conf" / "shared" / "marketing" / "spend.yaml", old, new)
    assert (config_hash(what(composed(project))) != before) == counts
    assert (feature_id(shared_feature(project, "marketing/spend")) != id_) == counts


def test_a_pin_holds_the_definition_and_does_not_count(project):
    id_ = short(feature_id(shared_feature(project, "marketing/spend")))
    pinned = composed(project, f"features.shared=[marketing/spend@{id_}]")
    assert what(pinned) == what(composed(project))
    assert pinned.features.shared[0].pin == id_
    replace(project / "recipes" / "spend.yaml", "marketing/spend", f"marketing/spend@{id_}")
    replace(project / "conf" / "shared" / "marketing" / "spend.yaml", "lags: 2", "lags: 3")
    now = short(feature_id(shared_feature(project, "marketing/spend")))
    assert mistakes_of(project) == (
        f"recipes/spend.yaml:15: 'marketing/spend' is pinned to {id_}, and conf/shared/marketing/spend.yaml has become "
        f"{now}; bring the definition back, or pin the new id",
    )


@pytest.fixture
def own_code(project, monkeypatch):
    """Where modules of `recipes` are taken from the project, as in a process that starts there."""
    theirs = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "recipes"}
    for name in theirs:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(project)
    monkeypatch.setattr("totalml.fingerprint._SEEN", {})
    (project / "recipes" / "mine").mkdir()
    for folder in (project / "recipes", project / "recipes" / "mine"):
        (folder / "__init__.py").touch()
    yield project / "recipes" / "mine"
    for name in [name for name in sys.modules if name.partition(".")[0] == "recipes"]:
        del sys.modules[name]


def test_code_of_a_recipe_behind_a_definition_counts(project, own_code, monkeypatch):
    (own_code / "halves.py").write_text(
        "from totalml.features import Lags\n\n\nclass Halves(Lags):\n    factor: float = 0.5\n"
    )
    define(project, "marketing/spend", SPEND.replace("totalml.features.Lags", "recipes.mine.halves.Halves"))
    before = feature_id(shared_feature(project, "marketing/spend"))
    assert feature_id(shared_feature(project, "marketing/spend")) == before
    replace(own_code / "halves.py", "class", "# edited\nclass")
    monkeypatch.setattr("totalml.fingerprint._SEEN", {})  # as the next process
    assert feature_id(shared_feature(project, "marketing/spend")) != before


def test_every_mistake_in_a_definition_is_told_at_its_line_beside_those_of_the_recipe(project):
    define(
        project,
        "marketing/spend",
        "_target_: totalml.features.Lags\nentiti: [region]\ncolumn: spend\nevery: 1x\nlags: ${seed}\n",
    )
    replace(project / "recipes" / "spend.yaml", "name: spend", "name: spend\nsed: 1")
    assert mistakes_of(project) == (
        "conf/shared/marketing/spend.yaml:5: an interpolation; write the value itself",
        "recipes/spend.yaml:7: unknown key 'sed', did you mean 'seed'?",
    )
    replace(project / "conf" / "shared" / "marketing" / "spend.yaml", "${seed}", "-1")
    assert mistakes_of(project) == (
        "conf/shared/marketing/spend.yaml:1: missing key 'owner'",
        "conf/shared/marketing/spend.yaml:2: unknown key 'entiti', did you mean 'entity'?",
        "conf/shared/marketing/spend.yaml:4: every: expected a duration such as 30d, 12h, 90min, 10s or 2w, got '1x'",
        "conf/shared/marketing/spend.yaml:5: 'lags' should be greater than or equal to 0, got -1",
        "recipes/spend.yaml:7: unknown key 'sed', did you mean 'seed'?",
    )
    with pytest.raises(RecipeError) as caught:
        shared_features(project)
    assert caught.value.mistakes == mistakes_of(project)[:4]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SPEND.replace("Lags", "Lagz"), "1: 'totalml.features' has no 'Lagz', did you mean 'Lags'?"),
        ("_target_: os.system\ncommand: x\n", "1: 'os.system' is not allowed; name a component of totalml or recipes"),
        (
            "_target_: totalml.data.ImageFolder\nroot: x\n",
            "1: '_target_' should be a component of kind SharedFeature; totalml.data.ImageFolder is none",
        ),
        ("owner: ann\n", "1: '_target_' should be a component of kind SharedFeature, named by a _target_"),
        (SPEND + "ttl: 4w\n", "1: 'ttl' means nothing here"),
        (SPEND + "first: 3\n", "1: 'first' is 3, beyond the last of 2 lags"),
        (SPEND.replace("1w", "99999999w"), "5: every: expected a hundred years at most"),
        (
            "_target_: totalml.features.Calendar\nowner: ann\nwaves: {yaer: 2}\n",
            "3: unknown key 'waves.yaer', did you mean 'year'?",
        ),
        (
            "_target_: totalml.features.Calendar\nowner: ann\nparts: [month, month]\n",
            "3: parts: 'month' is named twice; leave one out",
        ),
        ("a: [\n", "2: not valid YAML"),
        ("a: &x 1\n", "1: &x marks a value for repetition"),
    ],
)
def test_a_definition_is_held_to_the_rules_of_a_recipe(project, text, expected):
    define(project, "marketing/spend", text)
    (mistake,) = mistakes_of(project)
    assert mistake.startswith(f"conf/shared/marketing/spend.yaml:{expected}")


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("marketing/spent", "there is no shared feature 'marketing/spent' in conf/shared/, did you mean"),
        ("spend", "expected team/name, or team/name@id with 8 digits of its id or more; there is no shared"),
        ("../../recipes/spend", "expected team/name"),
        ("marketing/spend@12", "expected team/name"),
        ("marketing/spend, marketing/spend", "features.shared[1]: 'marketing/spend' is named twice; leave one out"),
    ],
)
def test_a_name_that_means_nothing_is_told_at_its_line(project, named, expected):
    replace(project / "recipes" / "spend.yaml", "[marketing/spend]", f"[{named}]")
    (mistake,) = mistakes_of(project)
    assert mistake.startswith(f"recipes/spend.yaml:15: {expected}")


def test_a_link_that_leads_out_of_the_folder_is_no_definition_and_nothing_of_it_is_told(project):
    secret = project.parent / "secret.yaml"
    secret.write_text("token-of-somebody\n")
    shared, before = project / "conf" / "shared", [*shared_features(project)]
    (shared / "marketing" / "secret.yaml").symlink_to(secret)
    (shared / "away").symlink_to(project.parent, target_is_directory=True)
    assert [*shared_features(project)] == before
    for name in ("marketing/secret", "away/secret"):
        with pytest.raises(RecipeError, match="there is no shared feature") as caught:
            shared_feature(project, name)
        assert "token" not in str(caught.value)


SALES = SPEND.replace("column: spend", "column: sales")
SAME_TABLE = """\
source:
  _target_: totalml.data.ImageTable
  table: spend.csv
  file_column: null
"""


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        (SALES, True),
        (SALES + SAME_TABLE, True),
        (SALES + "first: 1\n", False),
        (SALES + "known_time: reported\n", False),
        (SALES + SAME_TABLE.replace("spend.csv", "other.csv"), False),
    ],
)
def test_the_truth_of_the_row_itself_is_no_feature_and_that_of_earlier_rows_may_be(project, text, refused):
    define(project, "marketing/spend", text)
    if refused:
        (mistake,) = mistakes_of(project)
        assert mistake.startswith("recipes/spend.yaml:15: ")
        assert "'marketing/spend' holds 'sales' of the row itself, which is to be predicted" in mistake
    else:
        assert composed(project).features.shared[0].feature.column == "sales"


def test_a_comparison_tells_where_a_key_of_a_definition_is_written(project):
    origins = origins_of(project, "spend", plain(composed(project), where=True))
    feature = ("features", "shared", 0, "feature")
    assert str(origins.written((*feature, "lags"))) == "conf/shared/marketing/spend.yaml:6"
    assert origins.written((*feature, "missing")) is None


def test_definitions_are_no_options_of_a_group(project):
    assert mistakes_of(project, "+shared/marketing=spend")[0].startswith("command line: unknown key")
