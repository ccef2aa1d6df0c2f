"""Pints: the same ones in any batch, half of them good, and each knob moves what it says alone."""

from dataclasses import fields

import numpy as np
import pytest

from recipes.guinness import rating
from recipes.guinness.knobs import Knobs
from recipes.guinness.people import age_of_rater, in_st_patricks_week
from recipes.guinness.pint import NEW, PLASTIC, draw_pints

CLEAN = draw_pints(1, 0, 3000)


def _moved(knobs):
    """Names of the fields in which these pints differ from the clean ones."""
    other = draw_pints(1, 0, 3000, knobs)
    return {f.name for f in fields(CLEAN) if not np.array_equal(getattr(CLEAN, f.name), getattr(other, f.name))}


def test_a_pint_is_the_same_in_any_batch():
    part = draw_pints(1, 40, 7)
    for field in fields(part):
        np.testing.assert_array_equal(getattr(part, field.name), getattr(CLEAN, field.name)[40:47], field.name)


def test_another_seed_draws_other_pints():
    assert not np.array_equal(draw_pints(2, 0, 10).head_mm, CLEAN.head_mm[:10])


def test_about_half_the_pints_are_good():
    assert 0.45 < rating.is_good(CLEAN).mean() < 0.53


def test_no_pint_lies_close_to_a_threshold():
    def gap(values, threshold):
        return np.abs(values - threshold).min()

    assert gap(CLEAN.head_mm, rating.HEAD_LEAST_MM) > 1
    assert gap(CLEAN.head_mm, rating.HEAD_MOST_MM) > 1
    assert gap(CLEAN.short_mm, rating.SHORT_MOST_MM) > 3
    assert gap(CLEAN.dome_mm, rating.DOME_MOST_MM) > 1.5
    assert gap(CLEAN.spill, rating.SPILL_MOST) > 0.2
    assert gap(CLEAN.settle, rating.SETTLE_LEAST) > 0.15
    assert gap(CLEAN.bubble_mm, rating.BUBBLE_MOST_MM) > 1.5


def test_fractions_lie_between_0_and_1():
    for name in ("settle", "spill", "lacing", "light", "warmth", "green", "crowd"):
        values = getattr(CLEAN, name)
        assert values.min() >= 0, name
        assert values.max() <= 1, name


def test_glasses_of_plain_photos_fill_the_picture_and_stay_within():
    plain = CLEAN.take(~CLEAN.poor_photo)
    assert plain.glass_height.min() > 0.62
    assert plain.glass_height.max() < 0.85
    assert plain.base_y.min() > -0.5
    assert (plain.base_y + plain.glass_height).max() < 0.5


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        ("new_glass_share", 1.2),
        ("lined_share", 1.2),
        ("st_patricks", -0.1),
        ("poor_photo_share", 2),
        ("young_generosity", float("nan")),
        ("first_day", 365),
        ("days", 0),
    ],
)
def test_a_knob_out_of_bounds_is_refused_by_name(knob, value):
    with pytest.raises(ValueError, match=knob):
        Knobs(**{knob: value})


def test_a_period_past_the_year_is_refused():
    with pytest.raises(ValueError, match="past the year"):
        Knobs(first_day=300, days=66)


def test_new_glass_share_moves_the_glass_alone():
    assert _moved(Knobs(new_glass_share=0.8)) == {"glass"}
    assert abs((draw_pints(1, 0, 3000, Knobs(new_glass_share=0.8)).glass == NEW).mean() - 0.8) < 0.03


def test_lined_share_moves_the_line_of_newer_glasses_alone():
    assert not CLEAN.line_mm.any()
    assert _moved(Knobs(lined_share=0.6)) == {"line_mm"}
    lined = draw_pints(1, 0, 3000, Knobs(lined_share=0.6)).line_mm > 0
    assert not lined[CLEAN.glass != NEW].any()
    assert abs(lined[CLEAN.glass == NEW].mean() - 0.6) < 0.05


def test_young_generosity_moves_no_pint_but_its_own_record():
    assert _moved(Knobs(young_generosity=0.5)) == {"young_generosity"}


def test_poor_photo_share_moves_framing_and_camera_alone():
    moved = {"glass_height", "base_y", "centre_x", "tilt", "exposure", "blur", "noise_level", "jpeg", "poor_photo"}
    assert _moved(Knobs(poor_photo_share=0.5)) == moved


def test_a_larger_share_of_poor_photos_keeps_those_that_were_poor():
    more = draw_pints(1, 0, 3000, Knobs(poor_photo_share=0.5))
    assert not np.any(CLEAN.poor_photo & ~more.poor_photo)
    assert 0.4 < more.poor_photo.mean() < 0.6


def test_st_patricks_moves_glass_crowd_light_and_days_alone():
    moved = {"glass", "green", "crowd", "neighbour", "occluder", "timestamp_us"}
    assert _moved(Knobs(st_patricks=1)) == moved


def test_st_patricks_touches_that_week_alone():
    pints = draw_pints(1, 0, 6000, Knobs(st_patricks=1))
    week = in_st_patricks_week(pints.timestamp_us)
    assert pints.green[~week].max() == 0
    assert pints.green[week].min() > 0.2
    assert (pints.glass[week] == PLASTIC).mean() > 0.25
    assert not (pints.glass[~week] == PLASTIC).any()


def test_the_week_of_st_patricks_sells_13_pints_for_every_5_and_a_half():
    burst = in_st_patricks_week(draw_pints(1, 0, 40_000, Knobs(st_patricks=1)).timestamp_us).mean()
    plain = in_st_patricks_week(draw_pints(1, 0, 40_000).timestamp_us).mean()
    odds = burst / (1 - burst) / (plain / (1 - plain))
    assert odds == pytest.approx(13 / 5.5, rel=0.12)


def test_photos_are_taken_within_the_period_while_pubs_are_open():
    pints = draw_pints(1, 0, 2000, Knobs(first_day=31, days=28))
    times = pints.timestamp_us.astype("datetime64[us]")
    assert times.min() >= np.datetime64("2025-02-01")
    assert times.max() < np.datetime64("2025-03-01")
    hour = (times - times.astype("datetime64[D]")).astype(np.int64) / 3.6e9
    assert hour.min() >= 12
    assert hour.max() < 23.5


def test_fridays_and_saturdays_lead():
    weekday = (CLEAN.timestamp_us.astype("datetime64[us]").astype("datetime64[D]").astype(np.int64) + 3) % 7
    assert set(np.argsort(np.bincount(weekday))[-2:]) == {4, 5}


def test_some_uploaders_are_far_busier_than_others():
    counts = np.sort(np.bincount(CLEAN.uploader, minlength=200))[::-1]
    assert counts[:20].sum() > 0.35 * len(CLEAN)
    assert (counts > 0).sum() > 180


def test_a_rater_has_one_age_and_every_age_rates():
    ages = age_of_rater(CLEAN.rater)
    assert all(len(np.unique(ages[CLEAN.rater == rater])) == 1 for rater in np.unique(CLEAN.rater))
    assert (np.bincount(ages, minlength=4) / len(ages)).min() > 0.05
