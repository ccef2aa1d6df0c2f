"""Ranks against brute force, planted faults found by name, and silence where errors are merely skewed."""

from itertools import combinations

import numpy as np
import pytest

from totalml.evaluation.fairness.errors import measure_error_fairness
from totalml.evaluation.interval import Interval
from totalml.evaluation.regression.values import Values
from totalml.evaluation.shares import z_of
from totalml.evaluation.slices.errors import ErrorSizes, Ranked, mean_beside_others
from totalml.evaluation.slices.measure import slices_of
from totalml.evaluation.slices.record import Slices
from totalml.recipe import EvaluationRecipe

TIMES = 200


def skewed(world, spread=1.0):
    """Errors as models make them: many small ones and a few very large ones."""
    size = world.chance.lognormal(0.0, 1.0, len(world.table)) * spread
    return size * world.chance.choice([-1, 1], len(world.table))


def sliced(world, errors, unit=1.0, **recipe) -> Slices:
    asked = EvaluationRecipe(slices={"columns": ["age_group", "glass", "light"], "min_support": 20} | recipe)
    return slices_of(asked, asked.slices, world.context, ErrorSizes(errors, np.abs(errors), unit))


def fair(world, errors, deviation=1.0, **recipe):
    asked = EvaluationRecipe(fairness={"columns": ["age_group", "glass"], "min_support": 20} | recipe)
    truth, nothing = np.zeros((len(errors), 1)), np.full((len(errors), 1), np.nan)
    values = Values(truth, errors[:, None], nothing, nothing, np.array([deviation]), nothing, nothing)
    return measure_error_fairness(asked, asked.fairness, world.context, values, ["head_mm"])


def test_the_chance_is_that_of_all_ways_to_draw_the_cell():
    """By brute force over every choice of the cell, within its group; ties as they come."""
    generator = np.random.default_rng(0)
    values = generator.integers(0, 8, 24).astype(np.float64)
    groups = np.array([0] * 14 + [1] * 8 + [-1] * 2)
    cells = np.array([0] * 6 + [-1] * 8 + [1] * 4 + [-1] * 6)
    found = Ranked(values, groups).chance(cells, np.array([0, 1]))
    for cell, chance in enumerate(found):
        pool = values[groups == cell]
        ranks = np.array([(pool < each).sum() + ((pool == each).sum() + 1) / 2 for each in pool])
        seen = ranks[: (cells == cell).sum()].sum()
        sums = [sum(drawn) for drawn in combinations(ranks, int((cells == cell).sum()))]
        assert chance == pytest.approx(np.mean(np.array(sums) >= seen), abs=0.02)


def test_a_group_that_is_all_there_is_or_all_alike_shows_nothing():
    everyone = np.zeros(5, np.int64)
    assert Ranked(np.arange(5.0), everyone).chance(everyone, np.array([0])) == [1.0]
    assert Ranked(np.ones(5), everyone).chance(np.array([0, 0, -1, -1, -1]), np.array([0])) == [1.0]


def test_a_group_of_one_sample_has_a_mean_and_no_bounds():
    value, gap = mean_beside_others(np.array([3.0, 1.0, 2.0]), np.array([True, False, False]), 2.0)
    assert value == Interval(3.0)
    assert gap == Interval(1.5)


def test_a_planted_group_is_found_and_named_with_its_error_and_bias(world):
    for seed in range(5):
        pints = world(800, seed)
        errors = skewed(pints, 0.3)
        errors = np.where(pints.age == "61+", np.abs(errors) * 3, errors)
        slices = sliced(pints, errors)
        assert [one.name for one in slices.worse()] == ["age group 61+"]
        one = slices.declared[0]
        inside = pints.age == "61+"
        assert one.name == "age group 61+"
        assert one.value.value == pytest.approx(np.abs(errors[inside]).mean())
        assert one.gap.value == pytest.approx(np.abs(errors[inside]).mean() - np.abs(errors[~inside]).mean())
        assert one.bias.value == pytest.approx(errors[inside].mean())
        assert one.rest == pytest.approx(np.abs(errors[~inside]).mean())
        assert one.gap.low > 0


def test_a_planted_combination_is_found_and_named(world):
    pints = world(1500)
    errors = skewed(pints) * np.where((pints.age == "41-60") & (pints.light < 1 / 3), 4, 1)
    [found] = sliced(pints, errors).found
    assert found.name == "age group 41-60 and dim light"


def test_a_model_equally_good_everywhere_is_told_of_no_oftener_than_stated(world):
    """Skewed errors and groups of 20: of so many evaluations at most 5 %, and the error of counting, may tell."""
    told = [bool(sliced(pints := world(300, seed), skewed(pints), min_gap=0.0).worse()) for seed in range(TIMES)]
    assert np.mean(told) <= 0.05 + 2 * (0.05 * 0.95 / TIMES) ** 0.5


def test_a_least_gap_is_in_deviations_of_the_truth(world):
    pints = world(20_000)
    errors = pints.chance.normal(0, 1, 20_000) * np.where(pints.age == "18-25", 1.3, 1.0)
    gap = sliced(pints, errors).declared[0].gap.value
    for unit, found in ((gap / 0.09, False), (gap / 0.11, True)):
        assert bool(sliced(pints, errors, unit, min_gap=0.1).worse()) is found


def test_slices_of_errors_can_be_read_back_and_have_names_that_gates_use(world):
    pints = world(400)
    slices = sliced(pints, skewed(pints))
    assert Slices.from_json(slices.as_json()) == slices
    assert "mae" in slices.as_json()["declared"][0]
    assert {f"slices.glass tulip.{key}" for key in ("mae", "mae.gap", "bias")} <= slices.figures().keys()


def test_a_group_for_which_it_always_says_too_much_is_found(world):
    for seed in range(5):
        pints = world(600, seed)
        old = pints.age == "61+"
        errors = pints.chance.normal(0, 1, 600) + np.where(old, 1.5, 0.0)
        gaps = fair(pints, errors).gaps()
        assert (gaps[0].group, gaps[0].figure) == ("age group 61+", "bias")
        assert gaps[0].gap.value == pytest.approx(errors[old].mean() - errors[~old].mean())


def test_a_tolerance_is_in_deviations_of_the_truth(world):
    pints = world(4000)
    errors = pints.chance.normal(0, 1, 4000) + np.where(pints.age == "61+", 1.0, 0.0)
    assert fair(pints, errors, deviation=2.0).gaps()
    assert not fair(pints, errors, deviation=20.0).gaps()


def test_a_fair_model_is_told_of_no_oftener_than_stated(world):
    """Of errors so skewed, and groups so small, that means alone would tell of every tenth."""
    told = [
        bool(fair(pints := world(250, seed), pints.chance.lognormal(0, 1.5, 250), tolerance=0.0).gaps())
        for seed in range(TIMES)
    ]
    assert np.mean(told) <= 0.05 + 2 * (0.05 * 0.95 / TIMES) ** 0.5


def test_means_of_few_skewed_errors_mislead_and_ranks_do_not():
    """Why ranks must agree: 20 of 400 errors, at the level of ten gaps looked at; both ways in one test."""
    chance, times, level = np.random.default_rng(0), 1500, 0.05 / 10
    inside, everyone = np.arange(400) < 20, np.zeros(400, np.int64)
    by_means = by_ranks = 0
    for _ in range(times):
        errors = chance.lognormal(0.0, 1.5, 400)
        _, gap = mean_beside_others(errors, inside, z_of(0.95, 10))
        by_means += gap.low > 0 or gap.high < 0
        cells, kept = np.where(inside, 0, -1), np.zeros(1, np.int64)
        by_ranks += any(Ranked(sign * errors, everyone).chance(cells, kept)[0] <= level / 2 for sign in (1, -1))
    assert by_means / times > 5 * level
    assert by_ranks / times <= level + 2 * (level / times) ** 0.5


def test_a_group_too_small_has_its_error_and_no_gap(world):
    pints = world(150)
    figures = fair(pints, skewed(pints), min_support=40).figures
    small = [one for one in figures if one.count < 40]
    assert small
    assert all(one.gap.value is None and not one.counts and one.value.value is not None for one in small)


def test_a_hundred_thousand_samples_take_seconds_not_minutes(world):
    import time

    pints = world(100_000)
    start = time.process_time()
    assert sliced(pints, skewed(pints)).searched > 500
    assert time.process_time() - start < 4
