"""One switch leaves the metrics alone."""

from pathlib import Path

import pytest

from totalml.component import Section
from totalml.compose import compose_recipe
from totalml.errors import RecipeError
from totalml.identity import config_hash
from totalml.recipe import EvaluationRecipe, Recipe, what
from totalml.recipe.evaluation import PARTS

REPOSITORY = Path(__file__).parents[2]


def hash_of(recipe: Recipe) -> str:
    return config_hash(what(recipe))


def composed(*overrides: str) -> Recipe:
    return compose_recipe(REPOSITORY, ["+recipe=guinness_smoke", *overrides])


def test_without_depth_nothing_is_left_but_the_metrics():
    evaluation = composed("evaluation.depth=metrics").evaluation
    fields = EvaluationRecipe.model_fields
    nullable = {name for name, field in fields.items() if isinstance(field.default, Section)}
    assert nullable | {"fairness", "deepchecks"} == {*PARTS}
    assert not any(getattr(evaluation, name) for name in PARTS)


def test_parts_that_are_not_looked_at_do_not_count_for_the_config_hash():
    quick = hash_of(composed("evaluation.depth=metrics"))
    assert quick == hash_of(composed("evaluation.depth=metrics", "evaluation.slices.min_support=7"))
    assert hash_of(composed()) != hash_of(composed("evaluation.slices.min_support=7"))


def test_mistakes_in_them_are_told_nevertheless():
    with pytest.raises(RecipeError, match=r"evaluation.slices.min_gap"):
        composed("evaluation.depth=metrics", "evaluation.slices.min_gap=3")
