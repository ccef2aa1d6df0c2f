"""The equations, against what can be said of them by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.marketing.channels import CHANNELS
from recipes.marketing.market import LAGS, adstock, hill, season


def test_an_impulse_decays_by_the_same_share_each_week_and_is_forgotten_after_thirteen():
    spend = np.zeros((20, 1))
    spend[2] = 100.0
    remembered = adstock(spend, 0.5)[:, 0]
    weight = 100.0 * (1 - 0.5) / (1 - 0.5**13)  # a geometric series
    assert remembered[:2].tolist() == [0, 0]
    np.testing.assert_allclose(remembered[2:15], [weight * 0.5**lag for lag in range(13)])
    assert not remembered[15:].any()


@given(st.floats(0, 0.95), st.floats(0.1, 1000))
def test_a_lasting_spend_is_its_own_adstock(decay: float, spend: float):
    np.testing.assert_allclose(adstock(np.full((LAGS + 3, 2), spend), decay)[LAGS - 1 :], spend)


@given(st.floats(0.5, 3), st.floats(1, 100))
def test_half_of_the_effect_is_reached_at_half(shape: float, half: float):
    reached = hill(np.array([0.0, half / 2, half, 2 * half, 1e9]), half, shape)
    assert reached[0] == 0
    assert reached[2] == pytest.approx(0.5)
    assert reached[1] + reached[3] == pytest.approx(1.0)  # even about `half` on the log of the spend
    assert (np.diff(reached) > 0).all()


def test_the_season_has_its_highs_in_summer_and_at_christmas():
    year = season(np.arange(1.0, 366.0))
    highs = [day for day in range(1, 364) if year[day] > max(year[day - 1], year[day + 1])]
    summer, christmas = (day + 1 for day in highs)
    assert 165 <= summer <= 190
    assert 345 <= christmas <= 362
    assert season(np.array([1.0])) == pytest.approx(season(np.array([366.25])))


@pytest.mark.parametrize("name", CHANNELS)
def test_the_constants_lie_in_the_ranges_that_the_card_gives(name: str):
    channel = CHANNELS[name]
    least, most = {"tv": (0.3, 0.8), "radio": (0.1, 0.4), "outdoor": (0.1, 0.4)}.get(name, (0.0, 0.3))
    assert least <= channel.decay <= most
    assert 0.5 <= channel.shape <= 3
