"""Calendar, holidays and ratios against the standard library and dates that people know."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.features.rows_of_series import listed
from totalml.errors import FeatureError
from totalml.features import Calendar, Holidays, Ratio

PARTS = ("hour", "weekday", "week", "month", "day_of_year")
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))


def at(*times):
    return pa.table({"timestamp": pa.array(times, pa.timestamp("us", "UTC"))})


@settings(deadline=None)
@given(st.lists(TIMES, min_size=1, max_size=20), st.sampled_from(["UTC", "Europe/Dublin", "America/New_York"]))
def test_parts_are_those_of_the_standard_library_in_the_zone(times, zone):
    made = Calendar(owner="ann", parts=PARTS, zone=zone).columns(at(*times))
    for place, moment in enumerate(times):
        local = moment.astimezone(ZoneInfo(zone))
        day = local.timetuple().tm_yday
        expected = [local.hour, local.weekday(), local.isocalendar().week, local.month, day]
        assert [listed(made, part)[place] for part in PARTS] == expected


@settings(deadline=None)
@given(TIMES)
def test_waves_turn_with_the_share_that_has_passed(moment):
    made = Calendar(owner="ann", waves={"year": 2, "week": 1, "day": 1}).columns(at(moment))
    assert made.column_names[:4] == ["day_sin1", "day_cos1", "week_sin1", "week_cos1"]
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = {"day": midnight, "week": midnight - timedelta(days=moment.weekday())}
    begins["year"] = midnight.replace(month=1, day=1)
    length = {"day": timedelta(1), "week": timedelta(7)}
    length["year"] = begins["year"].replace(year=moment.year + 1) - begins["year"]
    for cycle, multiple in (("day", 1), ("week", 1), ("year", 1), ("year", 2)):
        angle = math.tau * multiple * ((moment - begins[cycle]) / length[cycle])
        assert listed(made, f"{cycle}_sin{multiple}") == [pytest.approx(math.sin(angle), abs=1e-9)]
        assert listed(made, f"{cycle}_cos{multiple}") == [pytest.approx(math.cos(angle), abs=1e-9)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"parts": ("month",), "zone": "Europe/Dublim"}, "there is no time zone 'Europe/Dublim'"),
        ({"parts": ("month",), "zone": "../../etc/passwd"}, "there is no time zone"),
        ({}, "name at least one of 'parts'"),
    ],
)
def test_what_makes_no_calendar_is_refused(given, expected):
    with pytest.raises(ValidationError, match=expected):
        Calendar(owner="ann", **given)


def test_a_ratio_is_missing_where_it_is_none():
    rows = pa.table({"sales": [6.0, 1.0, None, 0.0], "size": [3, 0, 2, 2]})
    assert listed(Ratio(owner="ann", column="sales", per="size").columns(rows), "ratio") == [2.0, None, None, 0.0]


def test_st_patricks_day_is_seen_in_its_week_and_from_afar():
    pytest.importorskip("holidays")
    feature = Holidays(owner="ann", country="IE", names=("Saint Patrick's Day",), period="1w")
    made = feature.columns(at(*(datetime(2024, *day, 12, tzinfo=UTC) for day in ((3, 10), (3, 11), (3, 17), (3, 18)))))
    # At noon the eighth day still begins within a week; on the day after it, it is most of a year until the next.
    assert listed(made, "days") == [1, 1, 1, 0]
    assert listed(made, "to_next") == [7, 6, 0, 364]
    with pytest.raises(FeatureError, match="IE has no holiday 'St Patricks Day'"):
        Holidays(owner="ann", country="IE", names=("St Patricks Day",)).columns(at(datetime(2024, 3, 10, tzinfo=UTC)))
    with pytest.raises(FeatureError, match="does not know it"):
        Holidays(owner="ann", country="XX").columns(at(datetime(2024, 3, 10, tzinfo=UTC)))


def test_a_holiday_that_was_held_once_is_the_same_to_a_row_whatever_rows_stand_beside_it():
    pytest.importorskip("holidays")
    days = [datetime(year, 1, 1, tzinfo=UTC) for year in (1990, 2010, 2013, 2021, 2023, 2035)]
    feature = Holidays(owner="ann", country="IE", names=("Day of Remembrance and Recognition",))
    # It was 18 March 2022; from 2010 that is further than ten years.
    expected = [None, None, (datetime(2022, 3, 18, tzinfo=UTC) - days[2]).days, 441, None, None]
    assert listed(feature.columns(at(*days)), "to_next") == expected
    assert [listed(feature.columns(at(day)), "to_next")[0] for day in days] == expected
