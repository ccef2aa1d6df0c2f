"""The recipe's own evaluation of the clean population: it must not find fault where the recipe has planted none."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from recipes.guinness.knobs import Knobs
from recipes.guinness.metadata import metadata
from recipes.guinness.pint import GLASSES, draw_pints
from recipes.guinness.rating import is_good, labels
from totalml.evaluation import SampleContext, evaluate
from totalml.recipe import EvaluationRecipe

RECIPE = Path(__file__).parents[3] / "recipes" / "guinness.yaml"
CLASSES = ("bad", "good")


@pytest.fixture
def recipe() -> EvaluationRecipe:
    import yaml

    return EvaluationRecipe(**yaml.safe_load(RECIPE.read_text())["evaluation"], bootstrap=0)


def evaluated(recipe, seed, samples=300, misled=None):
    """A model that knows the rule, errs in 2 of 100, and is as sure as it is right; raters err as they do."""
    pints = draw_pints(seed, 0, samples, Knobs())
    chance = np.random.default_rng(seed)
    columns = {name: values for name, values in metadata(pints).items() if values.dtype.kind in "Uf"}
    table = pa.table({**columns, "glass": np.asarray(GLASSES)[pints.glass]})
    given = labels(pints)
    error = np.full(samples, 0.02) if misled is None else misled(table)
    said = is_good(pints) ^ (chance.random(samples) < error)
    good = np.where(said, 0.95, 0.05)
    context = SampleContext(table, np.arange(samples), chance.random(samples), (given, np.stack([1 - good, good], 1)))
    ids = [f"pint-{k}" for k in range(samples)]
    return evaluate(recipe, CLASSES, ids, given, np.stack([1 - good, good], 1), None, 0, context)


@pytest.mark.parametrize("seed", range(10))
def test_the_clean_population_raises_nothing(recipe, seed):
    found = evaluated(recipe, seed)
    assert found.slices.worse() == []
    assert found.fairness.gaps() == []
    assert not found.confidence_check.off


def test_a_glass_that_misleads_is_named(recipe):
    def misled(table):
        return np.where(np.array(table["glass"].to_pylist()) == "new", 0.35, 0.02)

    assert evaluated(recipe, 0, misled=misled).slices.worse()[0].name == "glass new"
