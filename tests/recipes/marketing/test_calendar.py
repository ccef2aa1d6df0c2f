"""Feasts and holidays fall where they fell, and the place in the year is that of the middle."""

import sys
from datetime import date

import numpy as np
import pytest

from recipes.marketing.calendar import bank_holidays, calendar_columns, easter, is_festival
from totalml.errors import MissingExtraError, RecipeError


def columns(start: str, days: int, first: str = "2019-01-07") -> dict[str, float]:
    holidays = bank_holidays(range(2019, 2026))
    found = calendar_columns(np.array([start], "M8[D]"), days, np.datetime64(first), holidays)
    return {name: values.item() for name, values in found.items()}


@pytest.mark.parametrize(
    "day", ["1961-04-02", "2000-04-23", "2008-03-23", "2019-04-21", "2024-03-31", "2025-04-20", "2038-04-25"]
)
def test_easter_is_when_it_was(day: str):
    assert easter(int(day[:4])) == date.fromisoformat(day)


def test_the_holidays_of_ireland_in_2023_are_those_that_the_government_lists():
    listed = ["01-01", "02-06", "03-17", "04-10", "05-01", "06-05", "08-07", "10-30", "12-25", "12-26"]
    assert bank_holidays([2023]).astype(str).tolist() == [f"2023-{day}" for day in listed]


def test_there_was_no_st_brigid_before_2023_and_once_a_day_of_remembrance():
    assert bank_holidays([2022]).astype(str).tolist()[:3] == ["2022-01-01", "2022-03-17", "2022-03-18"]
    assert "2030-02-01" in bank_holidays([2030]).astype(str)  # a Friday


def test_the_rules_give_what_the_package_knows():
    holidays = pytest.importorskip("holidays")
    theirs = {*holidays.country_holidays("IE", years=range(2012, 2036), observed=False)}
    assert {*bank_holidays(range(2012, 2036)).tolist()} == theirs


def test_another_country_is_asked_of_the_package():
    pytest.importorskip("holidays")
    assert "2024-07-12" in bank_holidays([2024], "GB", "NIR").astype(str)
    with pytest.raises(RecipeError, match=r"knows no country or subdivision 'GB-XXX'.*Give one of ISO 3166"):
        bank_holidays([2024], "GB", "XXX")


def test_a_package_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(MissingExtraError, match=r"bank_holidays of GB-NIR needs the package 'holidays'.*monitor"):
        bank_holidays([2024], "GB", "NIR")
    assert len(bank_holidays([2024])) == 10


def test_a_week_counts_its_days():
    week = columns("2024-03-18", 7)  # the last day of the festival, and nothing of Easter, a week later
    assert (week["st_patrick"], week["bank_holidays"]) == (1, 0)
    assert columns("2023-03-13", 7)["st_patrick"] == 5
    assert columns("2024-12-23", 7)["bank_holidays"] == 2
    days = [columns(f"2023-03-{day}", 1) for day in range(13, 20)]
    assert [day["st_patrick"] for day in days] == [0, 1, 1, 1, 1, 1, 0]
    assert sum(day["bank_holidays"] for day in days) == columns("2023-03-13", 7)["bank_holidays"] == 1


def test_the_place_in_the_year_is_that_of_the_middle():
    assert columns("2024-01-01", 1)["day_of_year"] == 1.5
    assert columns("2024-12-31", 1)["day_of_year"] == 366.5
    assert columns("2024-12-30", 7)["day_of_year"] == 2.5  # noon of 2 January
    assert columns("2020-01-06", 7)["trend"] == pytest.approx(364 / 365.25)


def test_the_festival_is_in_march_of_any_year():
    days = np.arange(np.datetime64("1999-01-01"), np.datetime64("2003-01-01"))
    found = days[is_festival(days)].astype(str).tolist()
    assert found == [f"{year}-03-{day}" for year in range(1999, 2003) for day in range(14, 19)]
