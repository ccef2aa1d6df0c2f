"""Lags against a look at every row; and the two mistakes that lags are known for: gaps, and another series' values."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.rows_of_series import DAY_US, listed, series, table
from totalml.errors import FeatureError
from totalml.features import Lags
from totalml.features.shared.part_names import part_name, places_of

DAYS = (0, 1, 3)


def lags(**given):
    return Lags(**{"owner": "ann", "column": "spend", "entity": ["region"], "every": "1d", "lags": 2} | given)


@settings(deadline=None)
@given(series())
def test_a_lag_is_the_value_of_that_very_day_of_that_very_series(rows):
    at = {(name, time): value for name, time, value in rows}
    made = lags(lags=4).columns(table(rows))
    for lag in range(5):
        expected = [at.get((name, time - lag * DAY_US)) for name, time, _ in rows]
        assert listed(made, f"lag{lag}") == expected


@settings(deadline=None)
@given(series(step_us=DAY_US // 5))
def test_between_full_days_the_latest_value_of_the_day_that_far_back_counts(rows):
    made = lags(lags=2).columns(table(rows))
    for lag in range(3):
        expected = []
        for name, time, _ in rows:
            until = time - lag * DAY_US
            there = [(when, value) for other, when, value in rows if other == name and until - DAY_US < when <= until]
            expected.append(max(there, key=lambda each: each[0])[1] if there else None)
        assert listed(made, f"lag{lag}") == expected


@settings(deadline=None)
@given(series(), st.data())
def test_what_comes_later_changes_nothing(rows, data):
    name, time, _ = data.draw(st.sampled_from(rows))
    later = [row for row in rows if row[1] > time or row[0] != name]
    before = [row for row in rows if row not in later]
    whole, cut = lags().columns(table(rows)), lags().columns(table(before))
    places = [rows.index(row) for row in before]
    for part in ("lag0", "lag1", "lag2"):
        assert [listed(whole, part)[place] for place in places] == listed(cut, part)


def test_a_missing_week_is_missing_and_no_row_before_it():
    rows = [("a", day * DAY_US, float(day)) for day in DAYS]
    assert listed(lags().columns(table(rows)), "lag1") == [None, 0.0, None]
    assert listed(lags(missing="zero").columns(table(rows)), "lag1") == [0.0, 0.0, 0.0]


def test_stop_names_the_rows_behind_a_gap_but_lets_a_series_begin():
    rows = [("a", day * DAY_US, float(day)) for day in DAYS]
    with pytest.raises(FeatureError, match=f"1 row has no value 1 period before: 'a/{3 * DAY_US}'"):
        lags(missing="stop", lags=1).columns(table(rows))
    assert listed(lags(missing="stop", lags=1).columns(table(rows[:2])), "lag1") == [None, 0.0]


def test_two_rows_of_one_time_are_named():
    rows = [("a", 0, 1.0), ("b", 0, 2.0), ("a", DAY_US, 3.0)]
    with pytest.raises(FeatureError, match="1 row has the same time as another: 'a/0' and 'b/0'; name the columns"):
        lags(entity=[]).columns(table(rows))
    with pytest.raises(FeatureError, match="1 row of one region has the same time as another"):
        lags().columns(table([*rows, rows[0]]))


def test_times_a_thousand_years_apart_and_many_series_find_their_own():
    far = 1000 * 365 * DAY_US
    rows = [(f"s{place}", place % 2 * far + day * DAY_US, float(place)) for place in range(500) for day in range(2)]
    assert listed(lags(lags=1).columns(table(rows)), "lag1") == [
        value if time % far else None for _, time, value in rows
    ]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("spent", "no column 'spent', did you mean 'spend'?"),
        ("region", "column 'region' holds string, not numbers"),
    ],
)
def test_columns_that_do_not_fit_are_named(column, expected):
    with pytest.raises(FeatureError, match=expected.replace("?", r"\?")):
        lags(column=column).columns(table([("a", 0, 1.0)]))


def test_rows_without_time_or_entity_are_named():
    rows = table([("a", 0, 1.0), (None, DAY_US, 1.0)])
    with pytest.raises(FeatureError, match=f"'region' is empty in 1 row: 'None/{DAY_US}'"):
        lags().columns(rows)
    timeless = rows.set_column(1, "timestamp", rows["timestamp"].take([0, None]))
    with pytest.raises(FeatureError, match="its samples have no timestamp in 1 row"):
        lags().columns(timeless)


def test_times_may_be_dates_or_text_and_numbers_are_none():
    rows = [("a", day * DAY_US, float(day)) for day in DAYS]
    for kind in (pa.date32(), pa.timestamp("s"), pa.string()):
        day = table(rows)["timestamp"].cast(pa.timestamp("s", "UTC")).cast(pa.timestamp("s")).cast(kind)
        made = lags(event_time="day").columns(table(rows).append_column("day", day))
        assert listed(made, "lag1") == [None, 0.0, None]
    with pytest.raises(FeatureError, match="column 'spend' holds double, not times"):
        lags(event_time="spend").columns(table(rows))
    with pytest.raises(FeatureError, match="column 'region' holds no times: 'a' is no time"):
        lags(event_time="region").columns(table(rows))


def test_columns_are_of_the_feature_that_they_are_named_by_and_of_none_whose_name_begins_so():
    names = ("team/tv_net", "team/tv.1", "price", "team/tv.2", "team/tv")
    assert places_of("team/tv", names) == [1, 3, 4]
    assert places_of("team/t", names) == []
    assert part_name("team/tv", "1") == names[1]
