"""The key `plan` of a recipe: what it takes, and what it says of mistakes."""

import pytest
from pydantic import ValidationError

from tests.plan.spend import SpendTruth, given_of, plan_recipe, recipe_of
from totalml.identity import config_hash
from totalml.plan import make_plan
from totalml.recipe import GateRecipe, LeverRecipe, PlanRecipe, Recipe, what
from totalml.recipe.gates import FAMILIES
from totalml.task import Classification, Regression

TV = {"feature": "shop/tv", "cost": "spend_tv"}


def test_a_budget_is_one_of_two_words_or_an_amount():
    assert [plan_recipe(budget=each).budget for each in ("same", "free", 1000)] == ["same", "free", 1000.0]


@pytest.mark.parametrize("budget", ["some", 0, -1, float("nan"), float("inf"), 10**400, True, None])
def test_another_budget_is_refused_with_what_may_be(budget):
    with pytest.raises(ValidationError, match="expected 'same', 'free' or an amount above 0"):
        plan_recipe(budget=budget)


@pytest.mark.parametrize(
    ("lever", "told"),
    [
        ({"least": 1.2}, "less than or equal to 1"),
        ({"most": 0.8}, "greater than or equal to 1"),
        ({"least": 1.0, "most": 1.0}, "there is nothing to plan"),
        ({"factor": 2}, "Extra inputs are not permitted"),
    ],
)
def test_a_lever_moves_around_what_is_now(lever, told):
    with pytest.raises(ValidationError, match=told):
        LeverRecipe(**TV, **lever)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"feature": "shop/tv"}, "'shop/tv' is moved by the lever 'tv' already"),
        ({"feature": "shop/tv.lag1"}, "'shop/tv.lag1' is moved by the lever 'tv' already"),
        ({"feature": "radio"}, "'spend_tv' is the cost of the lever 'tv' already"),
        (
            {"feature": "radio", "cost": "spend_radio", "unit": "EUR"},
            "costs are added up, and those of 'tv' are in '', got 'EUR'",
        ),
    ],
)
def test_levers_are_told_apart_and_have_one_unit(other, told):
    levers = {"tv": LeverRecipe(**TV), "radio": LeverRecipe(**{**TV, **other})}
    with pytest.raises(ValidationError, match=told):
        plan_recipe(levers=levers)


def test_a_feature_whose_name_only_begins_alike_is_another_one():
    levers = {"tv": LeverRecipe(**TV), "tvs": LeverRecipe(feature="shop/tvs", cost="spend_tvs")}
    assert [*plan_recipe(levers=levers).levers] == ["tv", "tvs"]


def changed(**values: object) -> Recipe:
    recipe = recipe_of()
    return Recipe(**{name: getattr(recipe, name) for name in type(recipe).model_fields} | values)


@pytest.mark.parametrize("task", [Classification(), Regression(targets=("sales", "visits"))])
def test_only_one_number_can_be_planned(task):
    with pytest.raises(ValidationError, match="set task=regression with one target"):
        changed(task=task)


def test_a_gate_on_a_figure_of_no_plan_is_refused():
    gate = GateRecipe(metric="plan.regret", at_most=0.5)
    assert changed(gates=(gate,)).gates == (gate,)
    with pytest.raises(ValidationError, match=r"there is no plan, so there is no .plan\.regret.; add the key"):
        changed(gates=(gate,), plan=None)


@pytest.mark.parametrize(("metric", "told"), [("plan.regrets", "did you mean 'regret'"), ("plan", "such as 'plan")])
def test_a_gate_on_no_figure_of_a_plan_is_refused_before_the_run(metric, told):
    with pytest.raises(ValidationError, match=told):
        GateRecipe.model_validate({"metric": metric, "at_most": 1}, context={"task": Regression(targets=("sales",))})


def test_every_figure_of_a_plan_may_be_asked_for(tmp_path):
    recipe = plan_recipe(truth=SpendTruth())
    figures = make_plan(given_of(tmp_path, plan=recipe)).figures()
    assert {*figures} == {f"plan.{name}" for name in FAMILIES["plan"]}


def test_what_is_planned_counts_for_the_config_hash_and_a_unit_does_not():
    def hash_of(**values: object) -> str:
        return config_hash(what(changed(plan=PlanRecipe(value=1.0, levers={"tv": LeverRecipe(**TV, **values)}))))

    assert hash_of(unit="EUR") == hash_of() != hash_of(most=2.0)
