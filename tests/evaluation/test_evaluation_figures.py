"""Everything that is measured has a dotted name, and gates know how such names are spelt."""

import numpy as np
import pytest

from totalml.evaluation import Interval, evaluate
from totalml.evaluation.interval import with_chance
from totalml.evaluation.shares import wilson, z_of
from totalml.recipe import EvaluationRecipe, GateRecipe
from totalml.task import Classification


@pytest.fixture
def figures(world):
    """Of everything that an evaluation can look at, on real groups."""
    pints, labels = world(600), np.arange(600) % 2
    said = np.where(pints.wrong(0.1), 1 - labels, labels)
    sure = np.where(said[:, None] == np.arange(2), 0.9, 0.1)
    costs = {"bad": {"good": 3.0}, "good": {"bad": 1.0}}
    asked = EvaluationRecipe(
        bootstrap=20,
        slices={"columns": ["age_group"]},
        fairness={"columns": ["age_group"]},
        calibration={"costs": costs},
    )
    gold = [("bad", "good")[k] for k in labels]
    ids = [str(k) for k in range(600)]
    return evaluate(asked, ("bad", "good"), ids, labels, sure, gold, 0, pints.context, (labels, sure)).figures()


def test_gates_know_every_name(figures):
    for name in figures:
        asked = {"metric": name, "at_least": 0}
        assert GateRecipe.model_validate(asked, context={"task": Classification()}).metric == name
        family, _, rest = name.partition(".")
        assert name.endswith(Classification.families[family]) if rest else name in Classification.metrics


def test_every_family_of_an_evaluation_is_there(figures):
    assert set(Classification.metrics) <= figures.keys()
    for name in (
        "per_class.good.recall",
        "slices.age group 41-60.accuracy",
        "slices.age group 41-60.gap",
        "fairness.age_group.41-60.good.true_positive_rate",
        "fairness.age_group.41-60.good.true_positive_rate.gap",
        *(f"calibration.{figure}" for figure in Classification.families["calibration"]),
    ):
        assert isinstance(figures[name], Interval), name


@pytest.mark.parametrize("hits", [0, 30])
def test_a_figure_without_spread_gets_the_interval_of_wilson(hits):
    low, high = (float(end[0]) for end in wilson(np.array([hits]), np.array([30]), z_of(0.9)))
    found = with_chance(Interval(hits / 30, hits / 30, hits / 30), 30, 0.9)
    assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize("given", [Interval(1.0), Interval(1.0, 0.9, 1.0), Interval(0.5, 0.5, 0.5), Interval(None)])
def test_any_other_figure_keeps_its_own(given):
    assert with_chance(given, 30, 0.95) == given
