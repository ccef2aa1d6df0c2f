"""The rows follow the equations of the card, and each argument moves what it says and nothing else."""

import math

import numpy as np
import pytest
from pydantic import ValidationError

from recipes.marketing import market
from recipes.marketing.channels import CHANNELS
from recipes.marketing.rows import apportioned
from recipes.marketing.source import MarketSource
from recipes.marketing.world import NOISE, NOISE_KEPT
from totalml.data.sample import Sample


def samples(**arguments: object) -> dict[str, Sample]:
    return {each.id: each for each in MarketSource(**{"regions": 3, "years": 2, **arguments}).samples()}


def table(rows: dict[str, Sample]) -> dict[str, np.ndarray]:
    known = [row.metadata for row in rows.values()]
    return {name: np.array([each[name] for each in known]) for name in known[0]}


def slow_sales(row: dict[str, float], before: list[dict[str, float]], thirst: float) -> float:
    """The equation of the card for one row, term by term. Args: before: this week and those before it, newest first."""
    log = sum(high * math.cos(2 * math.pi * harmonic * (row["day_of_year"] - peak) / 365.25)
              for harmonic, (high, peak) in market.SEASON.items())  # fmt: skip
    log += market.ST_PATRICK * row["st_patrick"] + market.BANK_HOLIDAY * row["bank_holidays"]
    log += market.FOOTBALL * row["football"] + market.TEMPERATURE * row["temperature"]
    alone = 500 * thirst * (1 + 0.02 * row["trend"]) * math.exp(log) * (5.2 / row["price"]) ** 0.8
    added = 0.0
    for name, channel in CHANNELS.items():
        weights = [channel.decay**lag for lag in range(13)]
        spent = [week[f"spend_{name}"] / week["size"] for week in before[:13]]
        remembered = sum(weight * spend for weight, spend in zip(weights, spent, strict=False)) / sum(weights)
        added += channel.effect / (1 + (channel.half / remembered) ** channel.shape)
    return row["size"] * (alone + added)


def test_a_slow_loop_over_the_equation_gives_the_same_sales():
    source = MarketSource(regions=2, years=1)
    world = source.world()
    expected = source.expected(world, {})
    rows = [each.metadata for each in source.samples() if each.metadata["region"] == "region-02"]
    for week in range(len(rows)):
        one = slow_sales(rows[week], rows[week::-1], float(world.thirst[1]))
        assert expected[week, 1] == pytest.approx(one, rel=1e-12)
        assert rows[week]["sales"] == round(one * world.noise[week, 1])


def test_some_rows_are_what_they_were(data_regression):
    week, day = samples(), samples(every="day")
    chosen = ["region-01/2019-01-07", "region-03/2020-03-16"]
    rows = [week[each] for each in chosen] + [day["region-02/2020-03-17"]]
    data_regression.check([{"id": row.id, "at": str(row.timestamp), **row.metadata} for row in rows])


def test_a_region_and_a_week_stay_what_they_are_when_others_join():
    few, many = samples(regions=2, years=1), samples(regions=4, years=3)
    assert all(many[name] == row for name, row in few.items())
    assert len(many) == 4 * int(3 * 365.25 / 7)


def test_another_seed_draws_another_market():
    assert not np.array_equal(table(samples(seed=1))["sales"], table(samples(seed=2))["sales"])


@pytest.mark.parametrize("every", ["week", "day"])
def test_only_rows_in_between_come_and_they_are_the_same(every: str):
    whole, part = samples(every=every), samples(every=every, since="2019-07-01", until="2019-09-02")
    assert part == {name: row for name, row in whole.items() if "2019-07-01" <= name.partition("/")[2] <= "2019-09-02"}
    assert len(part) == 3 * (10 if every == "week" else 64)


def test_the_days_of_a_week_sum_to_it():
    week, day = table(samples()), table(samples(every="day"))
    shape = (-1, 7, 3)
    for name in ("sales", "football", "st_patrick", "bank_holidays", *(f"spend_{channel}" for channel in CHANNELS)):
        assert day[name].reshape(shape).sum(axis=1).ravel().tolist() == week[name].tolist(), name
        assert (day[name] >= 0).all()
    for name in ("price", "temperature", "size"):
        assert (day[name].reshape(shape) == week[name].reshape(-1, 1, 3)).all(), name


def test_parts_are_whole_numbers_in_proportion():
    parts = apportioned(np.array([[100.0, 7.0]]), np.array([[1.0], [1.0], [2.0]])[[0, 1, 2]])
    assert parts.tolist() == [[25.0, 2.0], [25.0, 2.0], [50.0, 3.0]]


def test_the_festival_fills_the_pubs():
    day = table(samples(every="day", since="2019-02-01", until="2019-04-14"))
    festival = day["st_patrick"] == 1
    assert day["sales"][festival].mean() > 1.3 * day["sales"][~festival].mean()


def test_sales_scatter_about_the_truth_as_stated():
    source = MarketSource()
    world = source.world()
    log = np.log(world.noise)
    expected_spread = math.hypot(*NOISE)
    assert log.std() == pytest.approx(expected_spread, rel=0.05)
    assert world.noise.mean() == pytest.approx(1.0, abs=0.01)
    kept = np.corrcoef(log[1:].ravel(), log[:-1].ravel())[0, 1]
    assert kept == pytest.approx(NOISE_KEPT, abs=0.1)


def test_a_channel_that_loses_half_its_effect_sells_less_from_then_on_and_not_before():
    plain, lame = table(samples()), table(samples(effects={"tv": 0.5}, changed_since="2020-01-01"))
    assert all(np.array_equal(plain[name], lame[name]) for name in plain if name != "sales")
    before = np.arange(len(plain["sales"])) < 3 * 52  # the first week of 2020 begins on 6 January
    assert np.array_equal(plain["sales"][before], lame["sales"][before])
    lost = (plain["sales"] - lame["sales"])[~before]
    source = MarketSource(regions=3, years=2)
    world = source.world()
    half = (0.5 * world.added("tv") * world.noise).ravel()[~before]
    np.testing.assert_allclose(lost, half, atol=1.0)


def test_a_future_is_another_for_each_number_and_leaves_the_past_as_it_was():
    source = MarketSource(regions=3, years=2, since="2020-01-06")
    plain, again, another = (table({each.id: each for each in source.redrawn(n).samples()}) for n in (1, 1, 2))
    assert all(np.array_equal(plain[name], again[name]) for name in plain)
    drawn = ("sales", "price", "temperature", "football", *(f"spend_{name}" for name in CHANNELS))
    assert all((plain[name] != another[name]).mean() > 0.1 for name in drawn)
    fixed = ("day_of_year", "st_patrick", "bank_holidays", "trend", "size")
    assert all(np.array_equal(plain[name], another[name]) for name in fixed)
    worlds = [each.world() for each in (MarketSource(regions=3, years=2), source.redrawn(1), source.redrawn(2))]
    known = int((worlds[0].starts < np.datetime64("2020-01-06")).sum())
    assert known == 52
    for other in worlds[1:]:
        assert np.array_equal(worlds[0].noise[:known], other.noise[:known])
        assert all(np.array_equal(worlds[0].spend[name][:known], other.spend[name][:known]) for name in CHANNELS)
        assert all(np.array_equal(worlds[0].columns[name][:known], other.columns[name][:known]) for name in drawn[1:4])
        assert not (worlds[0].noise[known:] == other.noise[known:]).any()
    assert np.array_equal(worlds[0].noise, source.redrawn(0).world().noise)  # the one that comes anyway
    assert MarketSource().redrawn(0) is None


def test_a_dearer_pint_sells_less_by_its_elasticity():
    usual, dear = MarketSource(regions=3, years=2), MarketSource(regions=3, years=2, price=1.1)
    ratio = dear.world().demand() / usual.world().demand()
    np.testing.assert_allclose(ratio, 1.1**-0.8, rtol=2e-3)  # prices are whole cents
    assert (table(samples(price=1.1))["price"] > table(samples())["price"]).all()


def test_a_channel_that_is_switched_off_spends_nothing_and_is_forgotten_within_its_weeks():
    off = MarketSource(regions=3, years=2, spending={"tv": 0}, changed_since="2020-01-01")
    world, usual = off.world(), MarketSource(regions=3, years=2).world()
    after = world.starts >= np.datetime64("2020-01-01")
    assert (world.spend["tv"][after] == 0).all()
    assert np.array_equal(world.spend["tv"][~after], usual.spend["tv"][~after])
    assert np.array_equal(world.spend["radio"], usual.spend["radio"])
    added = off.added(world, "tv", 1.0)[after]
    assert (added[0] > 0).all()
    assert (added[13:] == 0).all()


def test_a_late_season_sells_what_the_calendar_says_of_the_week_before():
    world = MarketSource(regions=3, years=3).world()
    days, turn = (world.columns[name].ravel() for name in ("st_patrick", "day_of_year"))
    log = np.log(world.demand(1) / world.demand(0))[1:]
    waves = market.season(turn - 7) - market.season(turn)
    expected = market.ST_PATRICK * (days[:-1] - days[1:]) + waves[1:]
    np.testing.assert_allclose(log, np.repeat(expected[:, None], 3, axis=1), atol=1e-12)
    usual, late = table(samples()), table(samples(season_late=1))
    assert [name for name in usual if not np.array_equal(usual[name], late[name])] == ["sales"]


def test_half_of_the_effect_of_tv_can_be_seen_in_a_quarter():
    """By one who knows the truth, in sales of all regions: three deviations of a mean over twelve weeks."""
    source, lame = MarketSource(years=30), MarketSource(years=30, effects={"tv": 0.5})
    world = source.world()
    expected, noise = source.expected(world, {}), np.log(world.noise).mean(axis=1)
    lost = np.log(expected / lame.expected(world, {})).mean()
    quarters = noise[: len(noise) // 12 * 12].reshape(-1, 12).mean(axis=1)
    assert lost / quarters.std() == pytest.approx(3, abs=0.5)


def test_advertising_is_a_fifth_to_a_third_and_follows_the_season():
    source = MarketSource()
    world = source.world()
    alone = world.demand()
    share = 1 - alone.sum() / source.expected(world, {}).sum()
    assert 0.2 <= share <= 0.3
    spend = sum(world.spend.values()).sum(axis=1)
    usual = np.exp(market.season(world.columns["day_of_year"]) + market.feasts(world.columns))[:, 0]
    assert np.corrcoef(spend, usual)[0, 1] > 0.6
    assert np.corrcoef(spend, alone.sum(axis=1))[0, 1] > 0.6


def test_who_leaves_out_the_season_gives_advertising_far_too_much():
    """Least squares that is told all else: the true curves, the regions, the trend and the weather."""
    source = MarketSource()
    world = source.world()
    size = world.columns["size"]
    brought = [world.added(channel) / size for channel in CHANNELS]
    regions = [np.ones_like(world.noise) * (np.arange(40) == place) for place in range(40)]
    known = [world.columns[name] for name in ("trend", "temperature", "football")] + [np.log(world.columns["price"])]
    usual = np.exp(market.season(world.columns["day_of_year"]) + market.feasts(world.columns))
    sales = source.expected(world, {}) * world.noise / size

    def given(more: list[np.ndarray]) -> float:
        columns = [np.broadcast_to(each, sales.shape).ravel() for each in [*brought, *regions, *known, *more]]
        found = np.linalg.lstsq(np.stack(columns, axis=1), sales.ravel(), rcond=None)[0][: len(brought)]
        return sum(times * each.sum() for times, each in zip(found, brought, strict=True)) / np.sum(brought)

    assert given([]) > 2.5
    assert given([usual, *(world.columns[name] for name in ("st_patrick", "bank_holidays"))]) == pytest.approx(
        1, abs=0.2
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"effects": {"tvv": 0.5}}, "no channel 'tvv'.*did you mean 'tv'"),
        ({"effects": {"tv": -1.0}}, "greater than or equal to 0"),
        ({"since": "2021-13-01"}, "expected a day such as 2021-03-15, got '2021-13-01'"),
        ({"since": "2021-02-01", "until": "2021-01-01"}, "since 2021-02-01 comes after until 2021-01-01"),
        ({"spending": {"tvv": 0.5}}, "no channel 'tvv'.*did you mean 'tv'"),
        ({"changed_since": "2021-01-01"}, "needs effects"),
        ({"future": 1}, "future 1 needs since"),
        ({"every": "month"}, "'week' or 'day'"),
    ],
)
def test_what_cannot_be_is_told(arguments: dict[str, object], told: str):
    with pytest.raises(ValidationError, match=told):
        MarketSource(**arguments)
