"""Numbers that people give agree where they lie near their median."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from totalml.recipe.review import ReviewRecipe
from totalml.review.medians import agreed_numbers, are_numbers

NUMBERS = st.lists(st.integers(-1000, 1000).map(lambda each: each / 8), min_size=1, max_size=9)


def agreed(*said: float, policy="majority", tolerance=0.5):
    labels = [{"mm": each} for each in said]
    return agreed_numbers(labels, ReviewRecipe(policy=policy, tolerance={"mm": tolerance}))


@given(NUMBERS, st.integers(0, 40).map(lambda each: each / 8))
def test_who_is_near_the_median_agrees(said, tolerance):
    middle = statistics.median(said)
    near = sum(abs(each - middle) <= tolerance for each in said)
    for policy, decides in (("majority", 2 * near > len(said)), ("unanimous", near == len(said))):
        assert agreed(*said, policy=policy, tolerance=tolerance) == ({"mm": middle}, near / len(said), decides)


@given(NUMBERS, st.floats(1e3, 1e9))
def test_one_who_is_far_off_among_three_that_agree_does_not_count(said, far):
    middle, _, decides = agreed(said[0], said[0], said[0], far)
    assert (middle, decides) == ({"mm": said[0]}, True)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ((10.1, 10.3), True),
        ((10.0, 10.4), False),
        ((10.0,), True),
        ((10.0, 10.0, 12.0), True),
        ((1.0, 2.0, 3.0), False),
    ],
)
def test_two_people_may_differ_by_twice_the_tolerance(said, expected):
    assert agreed(*said, tolerance=0.1)[2] == expected


def test_a_person_agrees_who_is_near_each_target():
    labels = [{"mm": 1.0, "g": 5.0}, {"mm": 1.0, "g": 9.0}, {"mm": 4.0, "g": 5.0}]
    assert agreed_numbers(labels, ReviewRecipe()) == ({"mm": 1.0, "g": 5.0}, 1 / 3, False)
    labels[1]["g"] = None
    assert agreed_numbers(labels, ReviewRecipe()) == ({"mm": 1.0, "g": 5.0}, 2 / 3, True)
    assert agreed_numbers([{"mm": 1.0, "g": None}], ReviewRecipe()) == ({"mm": 1.0, "g": None}, 1.0, True)


@pytest.mark.parametrize(
    ("label", "expected"),
    [({"mm": 1.0}, True), ({"mm": 1}, True), ({"label": "1"}, False), ({"labels": []}, False), ({"mm": None}, False)],
)
def test_only_numbers_have_a_median(label, expected):
    assert are_numbers([label]) == expected
