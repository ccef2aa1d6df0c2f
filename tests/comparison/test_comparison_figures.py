"""What a difference is called: points of a share, and of an error its unit, as the report writes numbers."""

import re
from types import SimpleNamespace

import pytest

from totalml.comparison.figures import difference, paired_bounds, paired_in_words, paired_told
from totalml.comparison.groups import groups
from totalml.comparison.metrics import MetricChange
from totalml.comparison.slices import SliceChange, SliceChanges
from totalml.comparison.summary import _verdict
from totalml.evaluation.interval import Interval
from totalml.evaluation.paired import Paired


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ((0.021, 0.004, 0.039), "better by 2.1 points (0.4 to 3.9)"),
        ((-0.021, -0.039, -0.004), "worse by 2.1 points (0.4 to 3.9)"),
        ((0.01, -0.012, 0.03), "no clear difference in accuracy (−1.2 to +3.0 points)"),
    ],
)
def test_what_the_interval_of_a_share_means_is_said_in_words(bounds, words):
    assert paired_in_words(Paired(*bounds, 5, 4, 100)) == words


def test_a_difference_of_errors_is_told_as_the_report_writes_errors():
    clear = Paired(-30307.086, -38012.0, -22793.0, 4, 23, 27, "mae", share=False)
    assert paired_told(clear) == "worse by 30,307 in mae (22,793 to 38,012), 4 closer and 23 farther off"
    unclear = Paired(12.0, -40.04, 1234.5, 9, 8, 27, "mae", share=False)
    assert paired_bounds(unclear) == "−40 to +1,234"
    by_metric = {"mae": "+30,307", "r2": "−0.458", "coverage": "+25.0 points"}
    changed = {"mae": (8133.0, 38440.086), "r2": (0.8, 0.342), "coverage": (0.5, 0.75)}
    told = {name: difference(MetricChange(name, *map(Interval, pair))) for name, pair in changed.items()}
    assert told == by_metric


@pytest.mark.parametrize(("figure", "heads"), [("accuracy", ["Gained", "Lost"]), ("mae", ["Closer", "Farther off"])])
def test_one_group_was_compared_in_words_that_fit_its_figure(figure, heads):
    one = SliceChange("city x", {"city": "x"}, 30, 0.5, 0.9, 1, 20, -0.4, Interval(-0.4, -0.6, -0.2), 0.001)
    page = groups(["A", "B"], [SimpleNamespace(slices=SliceChanges((one,), (), figure))])
    assert "1 group was compared." in page
    columns = re.findall(r"<th[^>]*>([^<]*)</th>", page)
    assert [head for head in columns if head in ("Gained", "Lost", "Closer", "Farther off")] == heads


def test_the_verdict_of_two_regressions_names_their_error_once():
    error = MetricChange("mae", Interval(4038.0), Interval(3968.0))
    clear = SimpleNamespace(paired=Paired(70.4, 30.2, 110.0, 295, 225, 520, "mae", share=False), metrics=[error])
    verdict = "<strong>B answers better than A</strong>: Mean absolute error 3,968 instead of 4,038."
    assert verdict in _verdict("A", "B", clear)
