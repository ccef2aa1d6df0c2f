"""Closed forms against published figures, enumeration and simulation."""

from itertools import combinations
from math import comb

import numpy as np
import pytest

from totalml.evaluation.shares import chance_of_as_many, gap_bounds, holm, mean_bounds, mean_variance, wilson, z_of


def one(value):
    return np.array([value], np.int64)


def test_wilson_gives_the_published_bounds():
    """Newcombe 1998 on one proportion, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    low, high = wilson(np.array([81, 15, 0, 1]), np.array([263, 148, 20, 29]), z_of(0.95))
    assert low == pytest.approx([0.2553, 0.0624, 0.0, 0.0061], abs=5e-5)
    assert high == pytest.approx([0.3662, 0.1605, 0.1611, 0.1718], abs=5e-5)


def test_a_difference_has_the_published_bounds():
    """Newcombe 1998 on the difference of two, table II, method 10: 56/70 - 48/80, 9/10 - 3/10, 10/10 - 0/20."""
    hits, count = np.array([56, 9, 10]), np.array([70, 10, 10])
    low, high = gap_bounds(hits, count, np.array([48, 3, 0]), np.array([80, 10, 20]), z_of(0.95))
    assert low == pytest.approx([0.0524, 0.1705, 0.6791], abs=5e-5)
    assert high == pytest.approx([0.3339, 0.8090, 1.0], abs=5e-5)


def test_an_empty_group_has_no_bounds():
    assert np.isnan(wilson(one(0), one(0), 1.96)).all()
    assert np.isnan(gap_bounds(one(0), one(0), one(1), one(2), 1.96)).all()


def test_intervals_of_many_hold_all_at_once():
    chance = np.random.default_rng(0)
    hits = chance.binomial(300, 0.85, (4000, 10))
    low, high = wilson(hits, np.full((4000, 10), 300), z_of(0.9, looked_at=10))
    assert 0.88 <= ((low <= 0.85) & (high >= 0.85)).all(axis=1).mean() <= 0.93


def test_the_chance_of_as_many_errors_is_that_of_counting_all_draws():
    wrong = [1, 1, 1, 0, 0, 0, 0, 0]
    draws = [sum(wrong[place] for place in drawn) for drawn in combinations(range(8), 4)]
    for errors in (2, 3):
        expected = np.mean([drawn >= errors for drawn in draws])
        assert chance_of_as_many(one(errors), one(4), one(3), one(8)) == pytest.approx(expected)
    assert chance_of_as_many(one(1), one(4), one(3), one(8)) == 1  # fewer than a fair share


@pytest.mark.parametrize(("errors", "count", "wrong", "samples"), [(30, 100, 120, 900), (260, 2000, 2200, 20_000)])
def test_the_chance_of_large_tables_is_exact(errors, count, wrong, samples):
    tail = range(errors, min(count, wrong) + 1)
    exact = sum(comb(wrong, k) * comb(samples - wrong, count - k) for k in tail) / comb(samples, count)
    assert chance_of_as_many(one(errors), one(count), one(wrong), one(samples)) == pytest.approx(exact, rel=1e-6)


def test_holm_gives_its_textbook_example():
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_the_bounds_of_a_mean_gap_cover_the_truth():
    chance = np.random.default_rng(1)
    said = chance.uniform(0.5, 1.0, (1000, 60))
    gaps = said - (chance.random((1000, 60)) < said)
    count = np.full(1000, 60)
    sums = [part.sum(axis=1) for part in (gaps, gaps**2, said * (1 - said))]
    low, high = mean_bounds(sums[0] / count, mean_variance(count, *sums), z_of(0.95))
    assert 0.93 <= np.mean((low <= 0) & (high >= 0)) <= 0.985


def test_no_mistake_among_few_is_not_certainty():
    said = np.full(20, 0.8)
    gaps = said - 1
    sums = [np.array([part.sum()]) for part in (gaps, gaps**2, said * (1 - said))]
    assert mean_variance(one(20), *sums) == pytest.approx(0.8 * 0.2 / 20)
