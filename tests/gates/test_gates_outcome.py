"""Where an interval lies with regard to a bound, against asking every point of it."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from totalml.evaluation import Interval
from totalml.gates.outcome import outcome, samples_to_decide

GRID = [k / 10 for k in range(11)]
RANGES = [(0.5, math.inf), (-math.inf, 0.5), (-0.3, 0.3), (0.0, 0.0)]


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_an_outcome_says_whether_all_points_or_none_are_good_enough(low, high):
    for least, value, most in itertools.combinations_with_replacement(GRID, 3):
        points = np.linspace(round(least * 1000), round(most * 1000), 1001) / 1000
        good = (points >= low - 1e-9) & (points <= high + 1e-9)
        expected = "passed" if good.all() else "undecided" if good.any() else "failed"
        assert outcome(Interval(value, least, most), low, high) == expected, (least, most)


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_without_bounds_the_value_alone_decides(low, high):
    for value in GRID:
        assert outcome(Interval(value), low, high) == ("passed" if low <= value <= high else "failed")


def test_rounding_does_not_fail_what_lies_on_the_bound():
    assert outcome(Interval(0.85 - 0.86), -0.01, math.inf) == "passed"


@given(st.sampled_from(RANGES[:3]), st.floats(-1, 1), st.floats(0.01, 1), st.floats(0.01, 1))
def test_as_many_samples_as_told_decide_it_and_far_fewer_do_not(bounds, value, below, above):
    def shrunk(factor):
        return Interval(value, value - below / math.sqrt(factor), value + above / math.sqrt(factor))

    assume(outcome(shrunk(1), *bounds) == "undecided")
    assume(min(abs(value - bound) for bound in bounds) > 0.01)
    needed = samples_to_decide(shrunk(1), *bounds, count=100)
    assert outcome(shrunk(needed / 100 * 1.001), *bounds) != "undecided"
    if needed > 120:
        assert outcome(shrunk(needed / 100 * 0.9), *bounds) == "undecided"


def test_no_number_of_samples_decides_about_a_value_on_the_bound():
    assert samples_to_decide(Interval(0.5, 0.4, 0.6), 0.5, math.inf, count=100) is None
