"""A new covariate that hurts is a concept, held against what was expected then."""

import numpy as np

from tests.drill import drawn
from totalml.drill import Pools
from totalml.drill.record import measure, truths_of
from totalml.monitoring import Observations
from totalml.recipe import ScenarioRecipe

RIGHT = {"base": 950, "moved": 945, "wrong": 700}  # of 1,000 each


def test_a_covariate_that_hurts_is_a_concept_unless_its_season_hurts_as_much():
    wrong = np.concatenate([np.arange(1000) >= right for right in RIGHT.values()])
    rows = {name: np.arange(1000) + 1000 * place for place, name in enumerate(RIGHT)}
    scenarios = {
        "harmless": ScenarioRecipe(truth="new covariate", population="moved"),
        "hurts": ScenarioRecipe(truth="new covariate", population="wrong"),
        "hurts as the season does": ScenarioRecipe(truth="new covariate", population="wrong", expected="wrong"),
        "faulty": ScenarioRecipe(truth="data quality", population="wrong"),
    }
    drill = drawn.recipe().model_copy(update={"scenarios": scenarios})
    measured = measure(Pools(Observations(3000), wrong, rows), drill)
    assert [each.accuracy.value for each in measured] == [0.95, 0.945, 0.7]
    assert [round(each.loss.value, 3) for each in measured] == [0.0, 0.005, 0.25]
    assert [*truths_of(measured, drill).values()] == ["new covariate", "concept", "new covariate", "data quality"]
