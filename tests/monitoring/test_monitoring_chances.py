from itertools import combinations

import numpy as np
import pytest

from totalml.monitoring.chances import as_long_runs, as_many_arrivals, as_many_repeats, as_many_unseen, beyond


def windows(known: int, rows: int) -> list[tuple[int, ...]]:
    """Every set of places that a window can have among all samples: each is as likely as the other."""
    return list(combinations(range(known + rows), rows))


@pytest.mark.parametrize("place", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_the_chance_beyond_a_bound_is_that_of_every_order(place, count):
    known, rows = 6, 4

    def outside(window: tuple[int, ...]) -> int:
        others = sorted({*range(known + rows)} - {*window})
        return sum(value > others[-place] for value in window)

    every = windows(known, rows)
    share = sum(outside(window) >= count for window in every) / len(every)
    expected = 1.0 if count <= rows * place / (known + 1) else share
    assert beyond(count, rows, place, known) == pytest.approx(expected)


@pytest.mark.parametrize("values", ["aabbccddef", "aaaabcdefg", "abcdefghij", "aaaaaaaaab"])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_chances_of_repeats_and_of_unseen_values_are_no_smaller_than_those_of_every_order(values, count):
    known, rows = 6, 4
    sizes = np.array([values.count(value) for value in sorted({*values})])
    every = windows(known, rows)
    inside = [[values[place] for place in window] for window in every]
    outside = [[values[place] for place in {*range(10)} - {*window}] for window in every]
    repeats = np.mean([rows - len({*window}) >= count for window in inside])
    new = [sum(value not in others for value in window) for window, others in zip(inside, outside, strict=True)]
    assert as_many_repeats(count, sizes, rows, known) >= repeats
    assert as_many_unseen(count, sizes, rows, known) >= np.mean([found >= count for found in new])


def test_the_bounds_are_small_where_chance_cannot_be_the_cause():
    assert as_many_repeats(20, np.r_[np.full(20, 2), np.ones(1960, int)], 100, 1900) < 1e-20
    assert as_many_unseen(20, np.r_[np.full(20, 1), np.full(10, 200)], 100, 1920) < 1e-9
    assert as_many_unseen(20, np.ones(2000, int), 400, 1600) == 1.0


def test_a_run_is_no_likelier_than_told():
    rng = np.random.default_rng(0)
    draws = rng.random((4000, 60)) < 0.6
    longest = np.array([max(map(len, "".join("x" if yes else " " for yes in draw).split())) for draw in draws])
    for length in (8, 12, 16):
        assert (longest > length).mean() <= as_long_runs(length, 60, 0.6) + 0.005


def test_arrivals_are_no_likelier_than_told():
    counts = np.random.default_rng(0).poisson(7, 200_000)
    for count in (8, 12, 20):
        told = float(as_many_arrivals(np.array([count]), np.array([7.0]))[0])
        assert (counts >= count).mean() <= told + 1e-4
        assert told < 1
