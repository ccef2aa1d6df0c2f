"""No change of `monitoring:` is silently without effect: what does not hold yet is told, and how to apply it."""

from pathlib import Path

import pytest

from totalml.monitoring.unapplied import unapplied_by_deployment, unapplied_by_recipe
from totalml.project import Place
from totalml.recipe.monitoring import MonitoringRecipe

REPOSITORY = Path(__file__).parents[2]
GUINNESS = MonitoringRecipe(unit="uploader", populations=("device",), slices=("age_group",))


@pytest.fixture
def place(tmp_path, monkeypatch) -> Place:
    monkeypatch.chdir(REPOSITORY)
    return Place(REPOSITORY, tmp_path / "runs", tmp_path / "store")


def test_a_recipe_that_says_otherwise_than_the_release_is_told_by_its_keys(place):
    assert unapplied_by_recipe("guinness", GUINNESS, place) == ""
    older = GUINNESS.model_copy(update={"slices": (), "zone": "Europe/Dublin"})
    told = unapplied_by_recipe("guinness", older, place)
    assert "recipes/guinness.yaml says otherwise of monitoring (slices, zone); python run.py +recipe=guinness" in told


def test_a_model_that_has_no_recipe_in_this_project_says_nothing(place):
    assert unapplied_by_recipe("of_elsewhere", GUINNESS, place) == ""


@pytest.mark.parametrize(
    ("written", "stands", "told"),
    [
        (GUINNESS, GUINNESS, ""),
        (None, None, ""),
        (GUINNESS, None, "a.yaml says otherwise of monitoring (all of it); totalml deploy a.yaml"),
        (GUINNESS, MonitoringRecipe(unit="uploader", populations=("device",)), "of monitoring (slices);"),
    ],
)
def test_a_deployment_file_that_was_changed_and_not_deployed_is_told(written, stands, told):
    found = unapplied_by_deployment(written, stands, "a.yaml")
    assert (told in found, bool(found)) == (True, bool(told))
