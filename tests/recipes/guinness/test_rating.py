"""The rule judges what the photo shows; the raters' errors are known."""

from dataclasses import replace

import numpy as np
import pytest

from recipes.guinness import rating
from recipes.guinness.knobs import Knobs
from recipes.guinness.people import age_of_rater
from recipes.guinness.pint import NEW, PLASTIC, TULIP, draw_pints

PINTS = draw_pints(1, 0, 20_000)
PERFECT = replace(
    PINTS.take(slice(0, 1)),
    **{
        name: np.asarray([value])
        for name, value in {
            "head_mm": 16.0,
            "dome_mm": 3.0,
            "short_mm": 1.0,
            "settle": 1.0,
            "spill": 0.0,
            "bubble_mm": 0.3,
            "glass": TULIP,
        }.items()
    },
)


def _changed(**values):
    return replace(PERFECT, **{name: np.asarray([value]) for name, value in values.items()})


def test_a_pint_without_fault_is_good_in_both_glasses():
    assert rating.is_good(PERFECT).item()
    assert rating.is_good(_changed(glass=NEW)).item()


@pytest.mark.parametrize(
    ("field", "within", "beyond", "fault"),
    [
        ("head_mm", 10.0, 9.9, "thin head"),
        ("head_mm", 23.0, 23.1, "thick head"),
        ("short_mm", 8.0, 8.1, "short measure"),
        ("dome_mm", 7.5, 7.6, "overflowing"),
        ("spill", 0.35, 0.36, "overflowing"),
        ("settle", 0.7, 0.69, "not settled"),
        ("bubble_mm", 2.5, 2.6, "frog eyes"),
        ("glass", TULIP, PLASTIC, "plastic cup"),
    ],
)
def test_each_threshold_separates_good_from_its_own_fault(field, within, beyond, fault):
    assert rating.is_good(_changed(**{field: within})).item()
    found = rating.faults(_changed(**{field: beyond}))
    assert [name for name, hit in found.items() if hit.item()] == [fault]
    assert not rating.is_good(_changed(**{field: beyond})).item()


def test_a_lined_glass_is_full_at_its_line():
    """As low in the glass, a pint is full or short by where its measure ends."""
    lined = Knobs(new_glass_share=1.0, lined_share=1.0)
    brim, line = draw_pints(1, 0, 20_000, Knobs(new_glass_share=1.0)), draw_pints(1, 0, 20_000, lined)
    np.testing.assert_array_equal(rating.is_good(line), rating.is_good(brim))
    low = rating.is_good(line) & (line.line_mm + line.short_mm > rating.SHORT_MOST_MM)
    assert low.sum() == rating.is_good(line).sum()


def test_what_the_photo_does_not_show_changes_no_label():
    warm = replace(PINTS, temperature_c=PINTS.temperature_c + 15.0)
    np.testing.assert_array_equal(rating.labels(warm), rating.labels(PINTS))


def test_poor_photos_change_no_label():
    poor = draw_pints(1, 0, 20_000, Knobs(poor_photo_share=0.6))
    np.testing.assert_array_equal(rating.labels(poor), rating.labels(PINTS))


def test_raters_err_in_about_four_of_a_hundred():
    assert rating.best_possible_accuracy(PINTS) == pytest.approx(0.96, abs=0.005)


def test_realised_labels_agree_with_the_rule_as_often_as_expected():
    # The deviation of a share of 0.96 over 20,000 is 0.0014.
    expected = rating.best_possible_accuracy(PINTS)
    assert rating.realised_accuracy(PINTS) == pytest.approx(expected, abs=0.005)
    agree = (rating.labels(PINTS) == rating.is_good(PINTS)).mean()
    assert rating.realised_accuracy(PINTS) == pytest.approx(agree)


def test_the_young_err_more_than_the_old():
    wrong = rating.labels(PINTS) != rating.is_good(PINTS)
    age = age_of_rater(PINTS.rater)
    rates = [wrong[age == group].mean() for group in range(4)]
    assert rates[0] > rates[1] > rates[3]


def test_generosity_passes_bad_pints_of_young_raters_alone():
    kind = draw_pints(1, 0, 20_000, Knobs(young_generosity=0.5))
    before, after = rating.labels(PINTS), rating.labels(kind)
    moved = before != after
    young, good = age_of_rater(PINTS.rater) == 0, rating.is_good(PINTS)
    assert not np.any(moved & (~young | good))
    assert np.all(after[moved] == 1)
    assert moved[young & ~good].mean() == pytest.approx(0.5, abs=0.04)


def test_generosity_lowers_what_a_model_can_reach():
    kind = draw_pints(1, 0, 20_000, Knobs(young_generosity=0.5))
    assert rating.best_possible_accuracy(kind) < rating.best_possible_accuracy(PINTS) - 0.03
