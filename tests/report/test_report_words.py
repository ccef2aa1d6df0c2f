import re

import pytest

from totalml.evaluation import Interval
from totalml.report.charts import Axes
from totalml.report.charts import figure as figure_of
from totalml.report.markup import Html, joined, name_of, tag
from totalml.report.number_format import duration, figure, interval, of_hundred, percent, times
from totalml.values.shown import counted


@pytest.mark.parametrize(
    ("share", "count", "text"),
    [
        (0.873, 5000, "87 of 100"),
        (1.0, 100, "100 of 100"),
        (0.999, 5000, "more than 99 of 100"),
        (0.0, 5000, "0 of 100"),
        (0.001, 5000, "fewer than 1 of 100"),
        (1.0, 26, "26 of 26"),
        (24 / 26, 26, "24 of 26"),
    ],
)
def test_a_share_is_told_in_hundreds_at_most_and_never_rounded_to_certainty(share, count, text):
    assert of_hundred(share, count) == text


def test_a_share_of_fewer_than_a_hundred_is_told_as_it_was_counted():
    assert all(of_hundred(k / n, n) == f"{k} of {n}" for n in range(1, 101) for k in range(n + 1))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (59.96, "1 min 0 s"), (61, "1 min 1 s"), (3725, "1 h 2 min")],
)
def test_a_duration_is_told_in_the_unit_that_fits(seconds, text):
    assert duration(seconds).replace("\N{NARROW NO-BREAK SPACE}", " ") == text


def test_shares_are_percent_and_areas_are_not():
    assert figure("accuracy", 0.8765) == percent(0.8765)
    assert figure("auroc", 0.8767) == "0.877"
    assert interval("auroc", Interval(0.5, 0.4, 0.61)) == "0.400 to 0.610"
    assert interval("auroc", Interval(0.5)) == ""


def test_counts_are_spelt_with_their_noun():
    assert (counted(1, "picture"), counted(2000, "picture"), counted(3, "class")) == (
        "1 picture",
        "2,000 pictures",
        "3 classes",
    )


def test_how_often_is_spelt_as_people_do():
    assert [times(each) for each in (1, 1.0, 2, 3, 0.33, 12.5, 1_234_567)] == [
        *("once", "once", "twice", "3 times", "0.33 times", "12.5 times", "1,234,567 times")
    ]


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (-34_000, 11_000, ["-30k", "-20k", "-10k", "0", "10k"]),
        (0, 2.4e6, ["0", "500k", "1M", "1.5M", "2M"]),
        (2000, 9000, ["2000", "4000", "6000", "8000"]),
        (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
    ],
)
def test_numbers_beside_an_axis_leave_room_for_its_name(low, high, told):
    svg = figure_of("t", "a", Axes((0, 1), (low, high)), ("x", "y"))
    assert re.findall(r'text-anchor="end">([^<]+)<', svg) == told
    assert max(map(len, told)) <= 5


def test_text_is_escaped_once_and_markup_is_not():
    assert tag("p", "a < b", Html("<br>"), tag("b", "&")) == "<p>a &lt; b<br><b>&amp;</b></p>"
    assert joined("<", Html("<")) == "&lt;<"
    assert tag("a", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;"></a>'


def test_a_long_name_keeps_both_ends():
    name = name_of("images/" + "x" * 100 + "/photo.jpg", 40)
    shown = re.sub("<[^>]*>", "", name)
    assert len(shown) == 40
    assert shown.startswith("images/")
    assert shown.endswith("/photo.jpg")


def test_no_interval_is_told_of_intervals_that_are_all_as_wide():
    assert interval("interval_width", Interval(18278.0, 18278.0, 18278.0), "pints") == ""
    assert interval("interval_width", Interval(5.0, 4.0, 6.0), "pints").startswith("4 to 6")
