"""The plan of a model whose curves are known."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tests.plan.spend import EFFECTS, REGIONS, SpendTruth, given_of, plan_recipe
from totalml.errors import EvaluationError, StoreError
from totalml.plan import Plan, check_plan, make_plan
from totalml.plan.experiment import Residuals, echo_of, periods_for
from totalml.recipe import LeverRecipe


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    return given_of(tmp_path_factory.mktemp("spend"), plan=plan_recipe(truth=SpendTruth(), budget="free"))


@pytest.fixture(scope="module")
def plan(given) -> Plan:
    return make_plan(given)


def spends(given, name: str) -> np.ndarray:
    """Of the last four weeks."""
    return given.snapshot.metadata[f"spend_{name}"].to_numpy()[-4 * REGIONS :]


def test_only_the_horizon_is_planned(given, plan):
    assert plan.rows == 4 * REGIONS
    assert (plan.since, plan.until) == ("1970-02-12T00:00:00+00:00", "1970-03-05T00:00:00+00:00")
    assert [lever.cost for lever in plan.levers] == pytest.approx(
        [spends(given, "tv").sum(), spends(given, "radio").sum()]
    )


def test_each_curve_is_what_each_member_predicts_with_that_lever_alone(given, plan):
    lever, radio = plan.levers[0], np.sqrt(spends(given, "radio")).sum()
    expected = 100 * plan.rows + np.sqrt(1.3 * spends(given, "tv")).sum() * EFFECTS[0] + radio * EFFECTS[1]
    assert np.array(lever.outcomes)[lever.factors.index(1.3)] == pytest.approx(expected, rel=1e-5)


def test_the_best_factors_are_those_of_the_formula(given, plan):
    """Of value * effect * root(spend * f) - spend * f, the best f; radio costs more than it brings."""
    root = np.sqrt(spends(given, "tv")).sum() / spends(given, "tv").sum()
    assert (2.0 * EFFECTS[0].mean() * root / 2) ** 2 > 1.5
    assert plan.advice.factors == {"tv": 1.5, "radio": 0.5}
    assert plan.advice.kind == "change"
    assert plan.tried is None


def test_no_more_is_spent_than_before_unless_it_is_free(given, tmp_path):
    advice = make_plan(given_of(tmp_path)).advice
    assert advice.factors == {"tv": 1.45, "radio": 0.5}
    assert advice.cost <= advice.budget == pytest.approx(sum(spends(given, name).sum() for name in ("tv", "radio")))


def test_the_gain_is_that_of_the_members_together_and_marked_down_a_little(given, plan):
    tv, radio = spends(given, "tv"), spends(given, "radio")
    by_member = [
        2
        * (np.sqrt(tv).sum() * (np.sqrt(1.5) - 1) * EFFECTS[0] + np.sqrt(radio).sum() * (np.sqrt(0.5) - 1) * EFFECTS[1])
        - 0.5 * tv.sum()
        + 0.5 * radio.sum()
    ]
    assert plan.advice.promised == pytest.approx(np.mean(by_member), rel=1e-4)
    assert plan.advice.gain.low < plan.advice.gain.value <= plan.advice.promised


def test_what_truly_comes_of_it_is_what_the_rule_says(given, plan):
    tv, radio = spends(given, "tv"), spends(given, "radio")
    after = 13.5 * np.sqrt(1.5 * tv).sum() + np.sqrt(0.5 * radio).sum()
    more = 2 * (after - 13.5 * np.sqrt(tv).sum() - np.sqrt(radio).sum()) - 0.5 * tv.sum() + 0.5 * radio.sum()
    assert plan.truth.gain == pytest.approx(more)
    assert plan.truth.best == plan.advice.factors
    figures = plan.figures()
    assert figures["plan.true_gain"].value == pytest.approx(more)
    assert figures["plan.regret"].value == figures["plan.worse_than_nothing"].value == 0


def test_a_truth_that_likes_it_otherwise_is_regretted(given, tmp_path):
    """Here tv brings nothing at all, so that the advice to spend more on it loses."""
    recipe = plan_recipe(truth=SpendTruth(tv=0.0), budget="free")
    figures = make_plan(given_of(tmp_path, plan=recipe)).figures()
    assert figures["plan.worse_than_nothing"].value == 1
    assert figures["plan.true_gain"].value < 0 < figures["plan.best_gain"].value
    lost = figures["plan.best_gain"].value - figures["plan.true_gain"].value
    assert figures["plan.regret"].value == pytest.approx(lost)
    assert figures["plan.regret_share"].value == pytest.approx(lost / figures["plan.best_gain"].value)


def test_levers_that_take_from_each_other_are_judged_together(tmp_path):
    apart, meeting = (make_plan(given_of(tmp_path, meet=meet)).advice for meet in (0.0, 0.3))
    assert apart.promised == pytest.approx(sum(part.value for part in apart.parts.values()))
    assert abs(meeting.promised - sum(part.value for part in meeting.parts.values())) > 1


def test_a_model_without_members_does_not_say_how_sure_it_is(tmp_path):
    plan = make_plan(given_of(tmp_path, "Single"))
    assert (plan.members, plan.advice.kind, plan.experiment) == (0, "unsure", None)
    assert plan.figures()["plan.gain"].low is None


def test_where_nothing_surely_pays_the_members_that_say_so_are_counted(tmp_path):
    torn = [[-9.0, 5.0, 12.0, 30.0, -20.0], [1.0, -8.0, 9.0, -3.0, 4.0]]
    plan = make_plan(given_of(tmp_path, effects=torn))
    assert (plan.advice.kind, plan.members) == ("nothing", 5)
    assert plan.tried.gain.low < 0


def test_contributions_and_what_is_without_levers_add_up_to_what_is_predicted(plan):
    """Levers do not meet in this model, so nothing is counted twice."""
    brought = plan.contributions
    assert len(brought.starts) == 10
    assert np.array(brought.base) == pytest.approx(np.full(10, 100.0 * REGIONS))
    for name, values in brought.levers.items():
        assert sum(values) == pytest.approx(brought.totals[name].value)
    last_four = sum(sum(values[-4:]) for values in brought.levers.values()) + sum(brought.base[-4:])
    assert last_four == pytest.approx(plan.outcome, rel=1e-6)


def test_an_experiment_shares_out_the_series_and_lasts_by_what_the_model_is_off_by(given, plan):
    design, off = plan.experiment.design, given.evaluation.predictions["truth"].to_numpy() - 130
    assert {*design.changed, *design.unchanged} == {*given.snapshot.metadata["region"].to_pylist()}
    regions, times = np.tile(np.arange(REGIONS), 10), np.repeat(np.arange(10), REGIONS)
    echo = echo_of(Residuals(design.changed + design.unchanged, regions, times, off))
    assert design.periods == periods_for(plan.experiment.error, off.std(ddof=1), echo, 3, 3)


def test_a_large_series_does_not_drown_the_others(tmp_path):
    """Ten times as large, with errors ten times as large, it tells as much as each other one."""
    given = given_of(tmp_path)
    large = np.where(np.arange(len(given.features)) % REGIONS == 0, 10.0, 1.0)
    table = given.evaluation.predictions
    for name in ("truth", "value"):
        table = table.set_column(table.column_names.index(name), name, pa.array(table[name].to_numpy() * large))
    scaled = make_plan(replace(given, evaluation=replace(given.evaluation, predictions=table)))
    plain, mean = make_plan(given).experiment.design.periods, large.mean()
    assert (plain - 1) * mean**2 < scaled.experiment.design.periods <= plain * mean**2


def test_it_is_read_back_as_it_was_written(plan, tmp_path):
    plan.save(tmp_path)
    assert Plan.load(tmp_path) == plan


@pytest.mark.parametrize("damage", ["{", "[]", '{"advice": 3}'])
def test_a_damaged_record_is_told(tmp_path, damage):
    (tmp_path / "plan.json").write_text(damage)
    with pytest.raises(StoreError, match=r"plan.json cannot be read .*; run the recipe again"):
        Plan.load(tmp_path)


def test_the_record_is_json_that_any_reader_takes(plan, tmp_path):
    plan.save(tmp_path)
    json.loads((tmp_path / "plan.json").read_text(), parse_constant=pytest.fail)


def test_what_cannot_be_planned_is_told_before_training_and_all_at_once(given):
    levers = {
        "tv": LeverRecipe(feature="shop/tvv", cost="spend_tv"),
        "radio": LeverRecipe(feature="radio", cost="region"),
        "price": LeverRecipe(feature="price", cost="spend_price"),
    }
    with pytest.raises(EvaluationError) as caught:
        check_plan(plan_recipe(levers=levers), given.features, given.snapshot, given.splits)
    first, second, third = str(caught.value).splitlines()
    assert first == "plan.levers.tv.feature 'shop/tvv' is no numeric column, did you mean 'shop/tv'?"
    assert second == "plan.levers.radio.cost 'region' holds string, and a cost is a number"
    assert third.startswith("plan.levers.price.cost 'spend_price' is no metadata column")


@pytest.mark.parametrize("number", [7.0, float("nan")])
def test_of_a_lever_that_never_changed_data_cannot_tell(given, number):
    numeric = given.features.numeric.copy()
    features, splits = replace(given.features, numeric=numeric), replace(given.splits, train=np.arange(36))
    check_plan(plan_recipe(), features, given.snapshot, splits)
    numeric[:36, :2] = number
    numeric[:9, 1] = np.nan  # before the first period a lag is missing, which is no change
    with pytest.raises(EvaluationError, match="'shop/tv' is the same in all training samples, so that data cannot"):
        check_plan(plan_recipe(), features, given.snapshot, splits)


def test_a_budget_below_the_least_is_told_before_training(given):
    least = float(sum(0.5 * spends(given, name).sum() for name in ("tv", "radio")))
    check_plan(plan_recipe(budget=least + 1), given.features, given.snapshot, given.splits)
    with pytest.raises(EvaluationError, match=f"plan.budget is {least - 1:,.2f}, and the least of all levers costs"):
        check_plan(plan_recipe(budget=least - 1), given.features, given.snapshot, given.splits)


@pytest.mark.parametrize(
    ("costs", "told"),
    [([-1.0] * 60, "is missing or below 0"), ([None] * 60, "is missing or below 0"), ([0] * 60, "is 0 for all")],
)
def test_costs_that_are_none_are_told(given, costs, told):
    metadata = given.snapshot.metadata.drop_columns("spend_tv").append_column("spend_tv", pa.array(costs, pa.float64()))
    with pytest.raises(EvaluationError, match=f"plan.levers.tv.cost 'spend_tv' {told}"):
        check_plan(plan_recipe(), given.features, replace(given.snapshot, metadata=metadata), given.splits)


def test_samples_without_a_time_cannot_be_planned(given):
    samples = given.snapshot.samples.drop_columns("timestamp")
    samples = samples.append_column("timestamp", pa.nulls(len(samples), pa.timestamp("us", "UTC")))
    with pytest.raises(EvaluationError, match="without a timestamp cannot be planned"):
        check_plan(plan_recipe(), given.features, replace(given.snapshot, samples=samples), given.splits)
