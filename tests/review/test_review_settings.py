"""The recipe as it is now decides how a model is reviewed; without one, the release's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.projects import PHOTOS, new_project
from tests.serving.serving import NUMBERS, PICTURE, release
from totalml import compose
from totalml.errors import RecipeError, StoreError
from totalml.project import place_at
from totalml.recipe.review import QueueShares, ReviewRecipe
from totalml.review.settings import doubts_of, review_settings
from totalml.store import Store


class OfRecipe:
    """A release that holds nothing but a recipe."""

    hash = "blake3:" + "a" * 64

    def __init__(self, **review: object) -> None:
        self.recipe = {"name": "pints", "review": review}


def test_outside_a_project_the_recipe_of_the_release_says_it(tmp_path):
    settings = review_settings("pints", OfRecipe(question="Is it good?", overlap=3), place_at(tmp_path))
    assert settings == ReviewRecipe(question="Is it good?", overlap=3)


def test_a_release_of_a_newer_version_is_not_guessed_at(tmp_path):
    with pytest.raises(StoreError, match="newer version"):
        review_settings("pints", OfRecipe(sung=True), place_at(tmp_path))


def test_the_recipe_of_the_project_is_asked_first_and_counts_for_no_hash():
    from totalml.compose import compose_recipe
    from totalml.recipe import what

    project = Path.cwd()
    asked = review_settings("guinness_smoke", release, place_at(project))
    recipe = compose_recipe(project, ["+recipe=guinness_smoke", "review.question=Would you drink it?"])
    assert recipe.review.question == "Would you drink it?"
    assert what(recipe) == what(compose_recipe(project, ["+recipe=guinness_smoke"]))
    assert asked == compose_recipe(project, ["+recipe=guinness_smoke"]).review


def test_shares_of_the_queues_are_one_and_some_are_always_drawn_by_chance():
    with pytest.raises(ValueError, match=r"sum to 1\.3, not 1"):
        QueueShares(control=0.6)
    with pytest.raises(ValueError, match="greater than 0"):
        QueueShares(control=0, uncertain=0.55)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"words": {"dark": "A pint", "light": "A pint"}}, "words of dark, light say the same, 'A pint'"),
        ({"reasons": [" "]}, "blank"),
        ({"question": ""}, "blank"),
    ],
)
def test_what_nobody_can_tell_apart_or_read_is_a_mistake(asked, told):
    with pytest.raises(ValueError, match=told):
        ReviewRecipe.model_validate(asked)


def test_words_of_labels_that_are_none_are_told():
    (told,) = doubts_of(ReviewRecipe(words={"light": "A good pint", "drak": "A bad pint"}), PICTURE)
    assert "review.words of the recipe names 'drak'" in told
    assert "did you mean 'dark'" in told


def test_numbers_on_which_nobody_would_agree_are_told():
    """Two people who say 7 and 8 are never of one mind where no tolerance is given."""
    one, other = NUMBERS.targets
    (told,) = doubts_of(ReviewRecipe(overlap=2, tolerance={one: 0.5}), NUMBERS)
    assert f"names no {other}" in told
    assert doubts_of(ReviewRecipe(overlap=2, tolerance={one: 0.5, other: 1.0}), NUMBERS) == []
    assert doubts_of(ReviewRecipe(overlap=1), NUMBERS) == doubts_of(ReviewRecipe(overlap=2), PICTURE) == []


def test_mistakes_of_the_recipe_are_told(tmp_path):
    new_project(tmp_path, {"pints": PHOTOS.replace("photos", "pints") + "review: {over_lap: 2}\n"})
    with pytest.raises(RecipeError, match="overlap"):
        review_settings("pints", OfRecipe(), place_at(tmp_path))


def test_a_store_elsewhere_changes_nothing(tmp_path):
    place = place_at(tmp_path, store=str(tmp_path / "store"))
    assert isinstance(place.open_store(), Store)
    assert review_settings("pints", OfRecipe(), place) == ReviewRecipe()


def test_a_recipe_drops_the_words_of_the_one_that_it_is_made_from():
    """Pints with faults are made from pints that are good or bad."""
    recipe = compose("guinness_faults")
    assert {*recipe.review.words} <= {*recipe.task.labels}
    assert ReviewRecipe(words=None).words == {}
