"""What would have come of a plan, against the rows, a planted plan and every plan there is."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from scipy.optimize import minimize

from recipes.marketing import best, truth
from recipes.marketing.best import FACTORS, Effect, best_plan, effects, gain
from recipes.marketing.channels import CHANNELS, VALUE_EUR
from recipes.marketing.source import MarketSource
from recipes.marketing.truth import MarketTruth
from totalml.errors import RecipeError

SMALL = {"regions": 3, "years": 1}


def rows_of(source: MarketSource) -> pa.Table:
    samples = [*source.samples()]
    named = {name: [each.metadata[name] for each in samples] for name in samples[0].metadata}
    return pa.table({"id": [each.id for each in samples], "timestamp": [each.timestamp for each in samples], **named})


@pytest.mark.parametrize("every", ["week", "day"])
def test_where_nothing_is_changed_the_rows_sell_what_is_expected_of_them(every: str):
    rows = rows_of(MarketSource(every=every, **SMALL))
    expected = MarketTruth(every=every, **SMALL).outcome(rows, dict.fromkeys(CHANNELS, 1.0))
    ratio = rows["sales"].to_numpy() / expected
    assert ratio.mean() == pytest.approx(1.0, abs=0.03)
    assert 0.03 < ratio.std() < 0.15
    assert expected.sum() == pytest.approx(MarketTruth(**SMALL).outcome(rows_of(MarketSource(**SMALL)), {}).sum())


def test_rows_may_come_in_any_order_and_number():
    whole = rows_of(MarketSource(**SMALL))
    some = whole.take([40, 3, 99, 3])
    plan = {"tv": 0.5, "search": 1.4}
    found = MarketTruth(**SMALL).outcome
    np.testing.assert_array_equal(found(some, plan), found(whole, plan)[[40, 3, 99, 3]])


def test_a_plan_is_the_market_that_would_have_been_had_that_been_spent():
    arguments, world = MarketTruth(**SMALL), MarketTruth(**SMALL).world()
    rows = rows_of(MarketSource(**SMALL))
    size = world.columns["size"][0]
    found = arguments.outcome(rows, {"social": 2.0}) - arguments.outcome(rows, {"social": 0.0})
    channel, week, region = CHANNELS["social"], 30, 1
    # Row 91 is week 30 of the second of three regions.
    weights = channel.decay ** np.arange(13)
    remembered = (weights * 2 * world.spend["social"][week - 12 : week + 1, region][::-1]).sum() / weights.sum()
    power = (remembered / size[region]) ** channel.shape
    assert found[91] == pytest.approx(size[region] * channel.effect * power / (power + channel.half**channel.shape))


def test_a_channel_that_lost_its_effect_brings_nothing_from_then_on():
    rows = rows_of(MarketSource(**SMALL))
    lame = MarketTruth(**SMALL, effects={"tv": 0.0}, changed_since="2019-07-01")
    plain = MarketTruth(**SMALL)
    brought = lame.outcome(rows, {"tv": 1.0}) - lame.outcome(rows, {"tv": 0.0})
    before = rows["timestamp"].to_numpy() < np.datetime64("2019-07-01")
    assert not brought[~before].any()
    np.testing.assert_array_equal(brought[before], (plain.outcome(rows, {}) - plain.outcome(rows, {"tv": 0.0}))[before])


def test_what_the_truth_does_not_know_is_told():
    rows = rows_of(MarketSource(**SMALL))
    with pytest.raises(RecipeError, match=r"no channel 'tele'.*search, social"):
        MarketTruth(**SMALL).outcome(rows, {"tele": 1.0})
    with pytest.raises(
        RecipeError, match=r"no row 'region-03/2019-01-07', nor 51 more of the 156 planned; give plan\.truth"
    ):
        MarketTruth(regions=2, years=1).outcome(rows, {})


def test_two_channels_get_too_much_two_too_little_and_one_about_enough():
    market = MarketTruth()
    found = effects(market, market.world(), 52)
    assert all(found[name].marginal < -0.3 for name in ("tv", "outdoor"))
    assert all(found[name].marginal > 0.3 for name in ("search", "social"))
    assert abs(found["radio"].marginal) < 0.15
    profit = sum(VALUE_EUR * each.sold - each.spend for each in found.values())
    assert gain(found, best_plan(found)) > 0.03 * profit


def test_the_best_plan_is_that_of_a_search_among_all_numbers():
    market = MarketTruth(regions=5, years=2)
    world = market.world()
    found = effects(market, world, 52)
    spend = np.array([each.spend for each in found.values()])

    def profit(factors: np.ndarray) -> float:
        sold = market.expected(world, dict(zip(found, factors, strict=True)))
        return VALUE_EUR * float(sold[-52:].sum()) - float(factors @ spend)

    room = {"type": "ineq", "fun": lambda factors: 1 - factors @ spend / spend.sum()}
    searched = minimize(
        lambda factors: -profit(factors) / 1e6, [0.95] * 5, bounds=[(0.5, 1.5)] * 5, constraints=room, method="SLSQP"
    )
    plan = best_plan(found)
    assert sum(plan[name] * each.spend for name, each in found.items()) <= spend.sum() + 1
    assert gain(found, plan) == pytest.approx(profit(searched.x) - profit(np.ones(5)), rel=0.02)


def test_the_best_plan_is_the_best_of_every_one(monkeypatch: pytest.MonkeyPatch):
    factors = np.array([0.5, 0.8, 1.0, 1.3])
    monkeypatch.setattr(best, "FACTORS", factors)
    random = np.random.default_rng(3)
    for _ in range(20):
        found = {name: Effect(random.uniform(1e3, 9e3), 0, 0, random.uniform(0, 9e3, 4)) for name in "abc"}
        each = list(found.values())
        most = -np.inf
        for plan in itertools.product(range(4), repeat=3):
            cost = sum(one.spend * factors[at] for one, at in zip(each, plan, strict=True))
            profit = sum(one.earned[at] for one, at in zip(each, plan, strict=True)) - cost
            most = max(most, profit if cost <= sum(one.spend for one in each) else -np.inf)
        now = sum(one.earned[2] - one.spend for one in each)
        assert gain(found, best_plan(found)) == pytest.approx(most - now)


def test_a_table_says_what_is_best(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["truth", "--seed", "1", "--weeks", "13"])
    truth.main()
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()[1:6]] == [*CHANNELS]
    market = MarketTruth(seed=1)
    found = effects(market, market.world(), 13)
    assert f"{gain(found, best_plan(found)):,.0f} EUR more" in printed
    assert FACTORS.tolist() == pytest.approx([0.5 + 0.05 * step for step in range(21)])
