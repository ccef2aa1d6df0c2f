"""The rows follow the rule that is stated, and each knob moves what it says."""

import numpy as np
import pytest

from recipes.shop.sales import FEAST, SalesSource, expected_sales


def column(name: str, **knobs: object) -> np.ndarray:
    return np.array([each.metadata[name] for each in SalesSource(count=2000, **knobs).samples()])


def test_the_same_rows_come_again():
    assert [*SalesSource(count=20, seed=3).samples()] == [*SalesSource(count=20, seed=3).samples()]


def test_sales_are_as_expected_on_average():
    rows = [*SalesSource(count=2000).samples()]
    day, price, tv, sold = (
        np.array([read(each) for each in rows])
        for read in (
            lambda each: each.timestamp.timetuple().tm_yday - 1,
            lambda each: each.metadata["price"],
            lambda each: each.metadata["tv"],
            lambda each: each.metadata["sold"],
        )
    )
    ratio = sold / expected_sales(day, price, tv)
    assert ratio.mean() == pytest.approx(1.0, abs=5 * 0.12 / np.sqrt(2000))
    assert ratio.std() == pytest.approx(0.12, abs=0.02)


def test_the_feast_comes_a_week_late():
    day, one = np.arange(FEAST - 14, FEAST + 7), np.ones(21)
    plain, late = (expected_sales(day - day % 7, 4 * one, 0 * one, days) for days in (0, 7))
    assert plain[day - day % 7 == FEAST - FEAST % 7].max() > late[day - day % 7 == FEAST - FEAST % 7].max()
    assert np.array_equal(
        expected_sales(np.array([FEAST + 7]), one[:1], one[:1], 7), expected_sales(np.array([FEAST]), one[:1], one[:1])
    )


def test_knobs_move_their_columns():
    assert column("price", price_factor=1.5).mean() == pytest.approx(1.5 * column("price").mean(), rel=0.001)
    assert column("tv", advertises=False).max() == 0
    to_feast = column("days_to_feast", first_day=340, days=40)
    assert (to_feast.min(), to_feast.max()) == (-21, 18)
