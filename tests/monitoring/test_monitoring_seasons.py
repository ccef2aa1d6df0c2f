import re
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from totalml.errors import MissingExtraError, RecipeError
from totalml.monitoring import RateProfile, Seasons
from totalml.recipe.monitoring import MonitoringRecipe
from totalml.recipe.seasons import HolidaySettings, SeasonSettings
from totalml.validate import explain

PATRICK = SeasonSettings(name="patrick", dates="03-14..03-20", reference="year_before")
NEW_YEAR = SeasonSettings(name="new_year", dates="12-30..01-02")


def us(*parts: int, zone: str = "UTC") -> int:
    return int(datetime(*parts, tzinfo=ZoneInfo(zone)).timestamp() * 1e6)


def at(season: SeasonSettings, *moments: int, zone: str = "UTC") -> list[int]:
    return Seasons([season]).at(np.array(moments, np.int64), zone).tolist()


def days_of(season: SeasonSettings, year: int) -> list[date]:
    """Every day of a year that is in the season."""
    days = [date(year, 1, 1) + timedelta(days=day) for day in range(365)]
    inside = at(season, *[us(day.year, day.month, day.day, 12) for day in days])
    return [day for day, found in zip(days, inside, strict=True) if found == 0]


def test_dates_of_each_year_hold_in_all_of_them_and_over_new_year():
    assert days_of(PATRICK, 2025) == [date(2025, 3, day) for day in range(14, 21)]
    assert days_of(NEW_YEAR, 2026) == [date(2026, 1, 1), date(2026, 1, 2), date(2026, 12, 30), date(2026, 12, 31)]
    assert days_of(SeasonSettings(name="leap", dates="02-29"), 2025) == []
    assert days_of(SeasonSettings(name="leap", dates="02-25..02-29"), 2025)[-1] == date(2025, 2, 28)


def test_dates_of_one_year_hold_in_that_one():
    once = SeasonSettings(name="festival", dates="2025-07-01..2025-07-03")
    assert days_of(once, 2025) == [date(2025, 7, day) for day in (1, 2, 3)]
    assert days_of(once, 2026) == []


def test_a_season_begins_and_ends_at_midnight_of_the_zone():
    first, after = us(2025, 3, 14, zone="Asia/Tokyo"), us(2025, 3, 21, zone="Asia/Tokyo")
    assert at(PATRICK, first - 1, first, after - 1, after, zone="Asia/Tokyo") == [-1, 0, 0, -1]
    summer = SeasonSettings(name="clocks", dates="03-30")  # a day of 23 hours in Dublin
    day = us(2025, 3, 30, zone="Europe/Dublin")
    assert at(summer, day, day + 23 * 3_600_000_000 - 1, day + 23 * 3_600_000_000, zone="Europe/Dublin") == [0, 0, -1]


def test_the_first_of_two_that_overlap_counts():
    both = Seasons([PATRICK, SeasonSettings(name="march", dates="03-01..03-31")])
    times = np.array([us(2025, 3, 15), us(2025, 3, 25), us(2025, 4, 1)])
    assert both.at(times).tolist() == [0, 1, -1]
    assert both.named(times) == {"patrick": 1, "march": 1}


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
@settings(max_examples=50, deadline=None)
def test_any_time_has_an_answer(moments):
    assert len(at(PATRICK, *moments)) == len(moments)


@given(st.integers(0, 20_000), st.integers(0, 86_399))
@settings(max_examples=50, deadline=None)
def test_a_moment_is_in_a_season_if_its_day_is(day, second):
    moment = datetime(1975, 1, 1, tzinfo=UTC) + timedelta(days=day, seconds=second)
    local = moment.astimezone(ZoneInfo("America/New_York"))
    expected = 0 if local.month == 3 and 14 <= local.day <= 20 else -1
    assert at(PATRICK, int(moment.timestamp()) * 1_000_000, zone="America/New_York") == [expected]


def test_a_rule_gives_the_days_that_it_gives_in_a_calendar():
    pytest.importorskip("dateutil")
    thanks = SeasonSettings(name="thanks", rule="FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", days=2)
    assert days_of(thanks, 2025) == [date(2025, 11, 27), date(2025, 11, 28)]


def test_a_holiday_has_days_before_and_after():
    pytest.importorskip("holidays")
    easter = HolidaySettings(country="IE", name="Easter Monday", before=3)
    assert days_of(SeasonSettings(name="easter", holiday=easter), 2025) == [
        date(2025, 4, day) for day in (18, 19, 20, 21)
    ]
    lately = SeasonSettings(name="brigid", holiday=HolidaySettings(country="IE", name="saint brigid's day"))
    assert days_of(lately, 2015) == []
    assert days_of(lately, 2024) == [date(2024, 2, 5)]


@pytest.mark.parametrize(
    ("package", "form", "words"),
    [
        ("dateutil", {"rule": "FREQ=NEVER"}, r"monitoring\.seasons\[0\]\.rule: 'FREQ=NEVER' is no iCalendar rule"),
        ("dateutil", {"rule": "FREQ=DAILY;INTERVAL=0"}, "INTERVAL is to be 1 or more"),
        ("dateutil", {"rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "it gives no day since 1970"),
        ("dateutil", {"rule": "BYMONTH=3"}, "no iCalendar rule"),
        ("holidays", {"holiday": {"country": "XX", "name": "x"}}, "holiday.country: .* knows no country 'XX'"),
        ("holidays", {"holiday": {"country": "DE", "subdivision": "ZZ", "name": "x"}}, "knows no subdivision 'DE-ZZ'"),
        (
            "holidays",
            {"holiday": {"country": "IE", "name": "Easter Munday"}},
            "IE has no holiday 'Easter Munday', did you mean 'Easter Monday'",
        ),
    ],
)
def test_days_that_never_come_are_told_before_anything_runs(package, form, words):
    pytest.importorskip(package)
    values = {"seasons": [{"name": "season", **form}, {"name": "other", "dates": "03-14"}]}
    with pytest.raises(ValidationError) as refused:
        MonitoringRecipe.model_validate(values)
    (mistake,) = explain(refused.value, MonitoringRecipe, ("monitoring",))
    assert re.search(words, mistake.message), mistake


@pytest.mark.parametrize(
    ("form", "package"),
    [({"rule": "FREQ=DAILY"}, "python-dateutil"), ({"holiday": {"country": "IE", "name": "b"}}, "holidays")],
)
def test_a_package_that_is_missing_is_named_with_its_extra(form, package, monkeypatch):
    """By what watches; a machine that only trains can do without it."""
    for module in ("dateutil.rrule", "holidays"):
        monkeypatch.setitem(sys.modules, module, None)
    season = SeasonSettings.model_validate({"name": "a", **form})
    with pytest.raises(MissingExtraError, match=rf"season 'a' needs the package '{package}'.*totalml\[monitor\]"):
        at(season, us(2025, 1, 1))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "got none of them"),
        ({"dates": "03-14", "rule": "FREQ=DAILY"}, "got dates and rule"),
        ({"dates": "03-32"}, "expected days such as"),
        ({"dates": "14.3.2025"}, "expected days such as"),
        ({"dates": "03-14..2025-03-20"}, "expected days such as"),
        ({"dates": "2025-03-20..2025-03-14"}, "comes after"),
        ({"dates": "03-14", "days": 3}, "belong to a rule"),
        ({"rule": "FREQ=HOURLY"}, "not HOURLY"),
        ({"holiday": {"country": "Ireland", "name": "x"}}, "country"),
    ],
)
def test_settings_that_mean_nothing_are_refused(fields, words):
    with pytest.raises(ValidationError, match=words):
        SeasonSettings.model_validate({"name": "season", **fields})


def test_an_unknown_zone_is_named():
    with pytest.raises(RecipeError, match="no time zone 'Europe/Dubln'"):
        at(PATRICK, us(2025, 3, 15), zone="Europe/Dubln")


def test_a_rate_profile_knows_evenings_and_weekends():
    rng = np.random.default_rng(0)
    hours = np.arange(8 * 168)
    rate = np.where((hours % 24 >= 18) & (hours % 168 >= 120), 30.0, 2.0)  # hours from a Monday's midnight on
    start = us(2025, 3, 3) // 3_600_000_000
    times = np.repeat((start + hours) * 3_600_000_000, rng.poisson(rate))
    times = times + rng.integers(0, 3_600_000_000, len(times))
    profile = RateProfile.fit(times)
    evening = profile.rates.reshape(7, 24)[5:, 18:]
    assert evening.mean() == pytest.approx(27, rel=0.1)  # one hour in nine is the average one
    assert profile.rates.reshape(7, 24)[:5].mean() == pytest.approx(2.5, rel=0.15)
    day = us(2025, 5, 10)
    assert profile.expected(day, day + 86_400_000_000) == pytest.approx(18 * 2 + 6 * 30, rel=0.1)
    tenth = RateProfile.fit(times, rows_per_day=24.0)
    assert tenth.rates.mean() == pytest.approx(1.0)
    assert RateProfile.fit(times[times < times.min() + 86_400_000_000]) is None
