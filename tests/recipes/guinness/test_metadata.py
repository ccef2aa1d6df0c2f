"""What the app knows: plausible pubs, phones and scores, the same for the same pint."""

import numpy as np
import pytest

from recipes.guinness.metadata import DEVICES, PUBS, metadata
from recipes.guinness.people import AGE_GROUPS
from recipes.guinness.pint import draw_pints
from recipes.guinness.rating import is_good

PINTS = draw_pints(1, 0, 8000)
KNOWN = metadata(PINTS)


def test_a_pint_has_the_same_metadata_in_any_batch():
    for name, values in metadata(draw_pints(1, 30, 5)).items():
        np.testing.assert_array_equal(values, KNOWN[name][30:35], name)


def test_every_pub_phone_and_age_group_occurs_and_no_other():
    assert set(KNOWN["pub"]) == set(PUBS)
    assert set(KNOWN["device"]) == set(DEVICES)
    assert set(KNOWN["age_group"]) == set(AGE_GROUPS)


def test_an_uploader_keeps_one_phone():
    for uploader in np.unique(KNOWN["uploader"])[:20]:
        assert len(set(KNOWN["device"][KNOWN["uploader"] == uploader])) == 1


@pytest.mark.parametrize("score", ["taste", "texture"])
def test_scores_run_from_0_to_10_with_one_decimal_and_some_are_missing(score):
    given = KNOWN[score][~np.isnan(KNOWN[score])]
    assert given.min() >= 0
    assert given.max() <= 10
    np.testing.assert_allclose(given * 10, np.round(given * 10), atol=1e-9)
    assert np.isnan(KNOWN[score]).mean() == pytest.approx(0.12, abs=0.02)


def test_taste_falls_as_the_beer_leaves_6_degrees():
    given = ~np.isnan(KNOWN["taste"])
    off = np.abs(PINTS.temperature_c - 6)[given]
    assert np.corrcoef(off, KNOWN["taste"][given])[0, 1] < -0.3


def test_texture_tells_good_pints_from_bad():
    good = is_good(PINTS)
    assert np.nanmean(KNOWN["texture"][good]) > np.nanmean(KNOWN["texture"][~good]) + 0.5
