"""Where a series changed: by simulation, by brute force, and whatever the series holds."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from totalml.monitoring.change_point import Change, change_from, change_of_numbers, change_of_shares


def covered(found: Change | None, at: int) -> bool:
    return found is not None and found.low <= at <= found.high


def test_the_interval_of_numbers_holds_the_change_as_often_as_said():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(300):
        at = int(rng.integers(1, 40))
        hits += covered(change_of_numbers(rng.normal(size=40) + 1.5 * (np.arange(40) >= at)), at)
    assert 0.92 < hits / 300 < 0.99


def test_the_interval_of_shares_holds_the_change_as_often_as_said():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(300):
        at = int(rng.integers(1, 60))
        shares = np.where(np.arange(60) < at, *rng.random(2))
        hits += covered(change_of_shares(rng.binomial(20, shares), np.full(60, 20)), at)
    assert 0.92 < hits / 300 < 0.99


def test_the_interval_of_bins_holds_the_change_as_often_as_said():
    rng = np.random.default_rng(2)
    before = np.array([0.5, 0.3, 0.2])
    hits = 0
    for _ in range(300):
        at = int(rng.integers(0, 200))
        after = rng.dirichlet(np.full(3, 0.5))
        bins = np.where(np.arange(200) < at, rng.choice(3, 200, p=before), rng.choice(3, 200, p=after))
        hits += covered(change_from(before, np.eye(3)[bins]), at)
    assert 0.92 < hits / 300 < 0.99


@given(st.lists(st.integers(0, 1), min_size=2, max_size=12))
def test_the_likeliest_place_of_shares_is_that_of_brute_force(hits):
    """The integral of s^h (1 - s)^(n - h) is h! (n - h)! / (n + 1)!, before and after."""

    def chance(part):
        ups = sum(part)
        return Fraction(math.factorial(ups) * math.factorial(len(part) - ups), math.factorial(len(part) + 1))

    each = {at: chance(hits[:at]) * chance(hits[at:]) for at in range(1, len(hits))}
    found = change_of_shares(hits)
    assert float(each[found.at]) == pytest.approx(float(max(each.values())))
    inside = sum(chance for at, chance in each.items() if found.low <= at <= found.high)
    assert inside >= 0.95 * sum(each.values()) * (1 - Fraction(1, 10**9))


@pytest.mark.parametrize("at", [1, 5, 29])
def test_a_clean_step_is_found_where_it_is(at):
    series = np.where(np.arange(30) < at, 1.0, 2.0)
    assert change_of_numbers(series) == Change(at, at, at)
    assert change_of_numbers(-series * 1e100) == Change(at, at, at)
    gaps = np.insert(series, [3, 20], math.nan)
    assert change_of_numbers(gaps).at == at + (at > 3) + (at > 20) + (at == 3) + (at == 20)


def test_one_wild_day_is_not_the_change():
    series = np.random.default_rng(3).normal(size=40)
    series[25:] += 3
    series[5] = -math.inf
    found = change_of_numbers(series)
    assert abs(found.at - 25) <= 1


def test_where_nothing_can_be_told_nothing_is_said():
    assert change_of_numbers([]) is None
    assert change_of_numbers([1.0, 1.0, 1.0, math.nan]) is None
    assert change_of_numbers([1.0, 2.0]) is None
    assert change_of_shares([1]) is None
    assert change_of_shares([1, 0], [1, 0]) is None
    assert change_from(np.array([0.5, 0.5]), np.zeros((0, 2))) is None


@given(arrays.arrays(np.float64, st.integers(0, 12), elements=st.floats(width=64)))
def test_any_series_is_answered(series):
    found = change_of_numbers(series)
    assert found is None or 0 < found.low <= found.at <= found.high < len(series)
