"""What the page says of a plan, held against the plan itself."""

import re
from dataclasses import replace

import pytest

from tests.evaluation.regressed import regressed
from tests.plan.spend import SpendTruth, given_of, plan_recipe
from totalml.evaluation.interval import Interval
from totalml.plan import Plan, make_plan
from totalml.plan.experiment import Design
from totalml.report.closing import closing_table
from totalml.report.number_format import quantity
from totalml.report.page import render
from totalml.report.plan import sentence


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> Plan:
    return make_plan(given_of(tmp_path_factory.mktemp("spend"), plan=plan_recipe(truth=SpendTruth())))


@pytest.fixture
def page_of(content_of):
    def page(plan: Plan | None) -> str:
        evaluation = regressed([[1.0], [2.0], [3.0]], [[1.1], [2.0], [2.9]])
        return render(content_of(evaluation=evaluation, score="mae", image_px=None, plan=plan)).decode()

    return page


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\N{NARROW NO-BREAK SPACE}", " ")


def plain(value: float, sign: str = "") -> str:
    return text_of(quantity(value, "EUR", sign))


def test_the_page_says_what_to_do_and_what_it_brings_first_of_all_and_once(plan, page_of):
    page = page_of(plan)
    advised = "More of tv (+45 %); less of radio (−50 %): that brings " + plain(plan.advice.gain.value, "+")
    summary = text_of(page.partition('id="summary"')[2])
    assert 0 < summary.index(advised) < summary.index("Off by ")
    assert text_of(page).count(advised) == 1


def test_the_table_says_change_gain_now_and_advised_of_each_lever_and_of_all(plan, page_of):
    shown = text_of(page_of(plan).partition('id="plan"')[2])
    tv, now = plan.levers[0], sum(lever.cost for lever in plan.levers)
    assert f"tv +45 % {plain(plan.advice.parts['tv'].value, '+')}" in shown
    assert f"{plain(tv.cost)} {plain(1.45 * tv.cost)} radio" in shown
    assert f"{plain(now)} {plain(plan.advice.cost)} Intervals are" in shown


def test_a_tenth_more_is_what_the_curve_says(plan, page_of):
    shown = text_of(page_of(plan).partition("What a tenth more or less of each does")[2])
    lever = plan.levers[0]
    less, more = (lever.gains(plan.value)[lever.factors.index(at)].mean() for at in (0.9, 1.1))
    row = shown[: shown.index("radio")]
    assert plain(less, "+") in row
    assert plain(more, "+") in row


def test_curves_have_a_band_where_one_stands_and_what_is_true(plan, page_of):
    page = page_of(plan).partition('id="plan"')[2].partition("</section>")[0]
    assert page.count('class="spread"') == page.count('class="upright"') == len(plan.levers)
    assert page.count("the truth</li>") == len(plan.levers)
    without = page_of(replace(plan, truth=None))
    assert "the truth</li>" not in without
    assert "The truth is known here" not in without


def test_levers_are_stacked_on_what_would_be_without_them(plan, page_of):
    keys = re.findall(r'class="line layer (\w+)"></path></svg>([^<]+)</li>', page_of(plan))
    assert keys == [("base", "without any lever"), ("layer0", "tv"), ("layer1", "radio")]


def test_a_plan_that_may_as_well_lose_is_told_beside_the_advice_to_change_nothing(plan, page_of):
    none = {"gain": Interval(0.0), "promised": 0.0}
    nothing = replace(plan.advice, kind="nothing", factors=dict.fromkeys(plan.advice.factors, 1.0), **none)
    shown = text_of(page_of(replace(plan, advice=nothing, tried=plan.advice)))
    assert "Change nothing: no other plan surely earns more." in shown
    assert "looks better still, but may as well lose" in shown
    assert f"marked down by {plain(plan.advice.promised - plan.advice.gain.value)} for that" in shown


def test_a_plan_that_the_budget_forces_says_why(plan, page_of):
    forced = replace(plan.advice, kind="forced")
    shown = text_of(page_of(replace(plan, advice=forced)))
    assert "What is done now is beyond budget or bounds. Within them, more of tv (+45 %)" in shown


def test_without_members_it_says_so_and_draws_no_band(tmp_path, page_of):
    page = page_of(make_plan(given_of(tmp_path, "Single")))
    assert "The model does not say how sure it is. Its best guess: more of tv" in text_of(page)
    assert 'class="spread"' not in page


def test_the_next_experiment_says_where_and_how_long(plan, page_of):
    found = plan.experiment or pytest.fail("members that differ leave something to know")
    design = Design(("a", "b"), ("c", "d"), 6, 7 * 86_400.0, 1234.0)
    shown = text_of(page_of(replace(plan, experiment=replace(found, design=design))))
    assert "for 6 weeks in 2 places, 2 left as they are" in shown
    assert "Change a , b ; leave c , d ." in shown
    assert "it costs about 1,234 EUR meanwhile." in shown
    assert "No experiment pays: the best costs more" in shown
    assert "It would be set to" in shown
    cheap = replace(found, design=replace(design, costs=3.9 * found.worth[found.lever]))
    shown = text_of(page_of(replace(plan, experiment=cheap)))
    assert "No experiment pays" not in shown
    assert "Set it to" in shown


def test_without_a_plan_the_page_has_no_such_section(page_of):
    assert 'id="plan"' not in page_of(None)


def test_the_closing_table_says_it_in_a_line(plan, tmp_path):
    metrics = {"metrics": {}, "count": 3}
    rows = closing_table(metrics, {}, {}, tmp_path / "report.html", advice=sentence(plan))
    assert ("Plan", "", sentence(plan)) in rows
    assert not [row for row in closing_table(metrics, {}, {}, tmp_path) if row[0] == "Plan"]
