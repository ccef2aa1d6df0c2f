"""Charts and tables of series over time, held against the numbers that they are drawn from."""

import re

import numpy as np
import pyarrow as pa
import pytest

from tests.evaluation.regressed import regressed
from totalml.evaluation import Known, SampleContext
from totalml.recipe import EvaluationRecipe
from totalml.report.charts import Axes
from totalml.report.moments import moment, time_ticks
from totalml.report.regression.courses import Course, courses, ranked
from totalml.report.regression.gallery import gallery
from totalml.report.regression.over_time import over_time

DAY_US = 86_400_000_000
WEEKS, TEST = 60, 20


def forecast(regions=4, series="region", step_days=7, **given):
    """Of regions whose errors grow from one to the next; the last 20 weeks are the test split."""
    generator = np.random.default_rng(0)
    week, region = (part.ravel() for part in np.mgrid[:WEEKS, :regions])
    values = 100.0 * (1 + region) + 10 * generator.normal(size=len(week))
    test = np.flatnonzero(week >= WEEKS - TEST)
    truth = values[test, None]
    said = truth + (1.0 + 5 * region[test, None]) * np.where(week[test] % 2, 1, -1)[:, None]
    names = [f"<r{each}>" for each in region]
    fields = {
        "known": Known(values[:, None], np.flatnonzero(week < WEEKS - TEST), test, week * step_days * DAY_US),
        "context": SampleContext(pa.table({"region": names}), test),
        "validation": (np.zeros((20, 1)), np.full((20, 1), 3.0)),
        "season": 10,
        "series": series,
        "units": {"t0": "pints"},
    }
    return regressed(truth, said, EvaluationRecipe(bootstrap=5, slices=None), **fields | given)


def paths(html: str, class_: str) -> list[list[tuple[float, float]]]:
    """Points of each line of that kind, not those of the legend."""
    found = re.findall(rf'<path d="M([^"H]*)" class="{class_}">', html)
    return [[tuple(map(float, point.split())) for point in re.split("[LZ]", each) if point] for each in found]


def test_the_sum_and_the_best_middle_and_worst_series_are_drawn():
    evaluation = forecast()
    html = "".join(courses(evaluation))
    titles = re.findall("<figcaption>([^<]*)<", html)
    order = ["&lt;r0&gt;", "&lt;r1&gt;", "&lt;r3&gt;"]
    expected = [f"t0, {word} {name}" for word, name in zip(("best:", "middle:", "worst:"), order, strict=True)]
    assert titles == ["t0, all 4 series added up", *expected]
    assert [len(points) for points in paths(html, "line true")] == [TEST] * 4
    assert [len(points) for points in paths(html, "spread")] == [2 * TEST] * 4
    assert len(paths(html, "line ideal")) == 4


def test_a_line_lies_where_its_numbers_are():
    evaluation = forecast(regions=1)
    html = "".join(courses(evaluation))
    table = evaluation.predictions
    times = table["timestamp"].cast("int64").to_numpy()
    bounds = np.concatenate([table[part] for part in ("truth", "lower", "upper", "value", "season_before")])
    room = 0.05 * np.ptp(bounds)
    axes = Axes((times[0], times[-1]), (bounds.min() - room, bounds.max() + room))
    for class_, part in (("line true", "truth"), ("line first", "value"), ("line ideal", "season_before")):
        [drawn] = paths(html, class_)
        expected = [axes.place(x, y) for x, y in zip(times, table[part].to_pylist(), strict=True)]
        assert np.allclose(drawn, expected, atol=0.06)


def test_what_is_added_up_is_what_stands_at_one_time():
    values = {"truth": np.arange(6.0), "season_before": np.array([1, np.nan, 3, 4, 5, 6])}
    found = Course(np.array([0, 0, 1, 1, 2, 2]), values).summed()
    assert found.times.tolist() == [0, 1, 2]
    assert found.values["truth"].tolist() == [1, 5, 9]
    assert np.isnan(found.values["season_before"]).all()


def test_a_series_that_training_did_not_know_is_listed_and_not_called_the_worst(content_of):
    week = np.arange(WEEKS)
    known = Known(np.ones((WEEKS, 1)), week[:40], week[40:], week * DAY_US)
    evaluation = forecast()
    per_series = dict(evaluation.per_series)
    new = {**per_series["<r0>"], "mase": regressed(np.ones((20, 1)), np.ones((20, 1)), known=known).metrics["mase"]}
    object.__setattr__(evaluation, "per_series", {"new": new, **per_series})
    assert ranked(evaluation.per_series)[-1] == "new"
    assert "new" not in "".join(re.findall("<figcaption>([^<]*)<", "".join(courses(evaluation))))
    assert "<bdi>new</bdi>" in over_time(content_of(evaluation=evaluation, score="mae"))


def test_samples_of_no_series_are_drawn_where_their_steps_are_even():
    even = forecast(regions=1, series=None, step_days=1)
    assert len(courses(even)) == 1
    assert courses(forecast(regions=4, series=None)) == []
    known = Known(np.ones((80, 1)), np.arange(60), np.arange(60, 80), np.random.default_rng(0).permutation(999)[:80])
    assert courses(forecast(regions=1, series=None, known=known)) == []


def test_the_table_by_time_says_where_intervals_hold_too_rarely(content_of):
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(400, 1))
    late = np.arange(400) >= 200
    known = Known(truth, np.arange(400), np.arange(400), np.arange(400) * DAY_US)
    said = truth + np.where(late, 5.0, 0.1)[:, None]
    evaluation = regressed(truth, said, known=known, validation=(truth[:50], truth[:50] + 1))
    html = over_time(content_of(evaluation=evaluation, score="mae"))
    marked = re.findall(r"<strong>([\d-]+) hold too rarely", html)
    periods = evaluation.periods["t0"]
    assert marked == [moment(one.first) for one in periods if one.coverage.value < 0.6]
    assert 5 <= len(marked) <= 7
    assert html.count("<tr>") == 1 + len(periods)


def test_samples_stand_series_by_series(content_of):
    evaluation = forecast()
    shown = re.findall(
        r'class="label">&lt;r(\d)&gt;', gallery(content_of(evaluation=evaluation, pictures=None), 0).samples
    )
    assert shown == sorted(shown)
    assert set(shown) == {"0", "1", "2", "3"}


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        ("2024-01-01", "2024-12-30", ["Jan 2024", "Mar 2024", "May 2024", "Jul 2024", "Sep 2024", "Nov 2024"]),
        ("2019-02-05", "2024-05-02", ["2020", "2021", "2022", "2023", "2024"]),
        ("2024-03-01", "2024-03-05", ["1 Mar", "2 Mar", "3 Mar", "4 Mar", "5 Mar"]),
        ("2024-03-01T20:00", "2024-03-02T02:00", ["1 Mar 21:00", "2 Mar"]),
        ("1960-05-01", "1960-05-01", ["1 May"]),
    ],
)
def test_ticks_of_time_are_round(first, last, labels):
    ends = [int(np.datetime64(each, "us").astype(np.int64)) for each in (first, last)]
    found = time_ticks(*ends)
    assert [label for _, label in found] == labels
    assert all(ends[0] <= at <= ends[1] for at, _ in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2024-03-01", "2024-03-01"), ("2024-03-01T05:30:10", "2024-03-01 05:30"), ("1969-12-31", "1969-12-31")],
)
def test_a_moment_is_a_day_unless_it_has_a_time_of_day(text, expected):
    assert moment(int(np.datetime64(text, "us").astype(np.int64))) == expected
