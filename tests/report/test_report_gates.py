"""Gates in words, for people who know no statistics."""

import re
from dataclasses import replace

import pytest

from totalml.evaluation import Interval
from totalml.gates import GateResult, Verdict
from totalml.recipe import GateRecipe
from totalml.registry import Promotion
from totalml.report.closing import closing_table
from totalml.report.gate_words import bound, measured, reason, sentence
from totalml.report.gates import gates
from totalml.report.page import render

THIN = "\N{NARROW NO-BREAK SPACE}"
PRODUCTION = Promotion("2026-11-25T04:00:00+00:00", "production", "aaaaaaaa-00000001", 2, "blake3:1", "eve")


def result(outcome="passed", passed=None, value=None, name="accuracy", asked=None, **more):
    gate = GateRecipe(**(asked or {"metric": name, "at_least": 0.9}))
    found = value or Interval(0.955, 0.929, 0.977)
    ok = outcome == "passed" if passed is None else passed
    return GateResult(gate.title, outcome, ok, name, found, gate.model_dump(), looked_at=1, **more)


def verdict(*results, production=None):
    return Verdict(results, 311, production)


def against_production():
    return result(
        "undecided",
        passed=False,
        value=Interval(-0.01, -0.04, 0.02),
        asked={"metric": "accuracy", "at_least": "production", "margin": 0.02},
        ours=Interval(0.94, 0.92, 0.96),
        theirs=Interval(0.95, 0.93, 0.97),
        how="paired",
        would_decide=1234,
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (None, "No gate says whether it may be released."),
        (verdict(), "No gate says whether it may be released."),
        (verdict(result()), "It may be released: the only gate passed."),
        (verdict(result(), result()), "It may be released: all 2 gates passed."),
        (
            verdict(result(), result("undecided", passed=True)),
            "It may be released: all 2 gates passed, 1 of them undecided, which its recipe lets pass.",
        ),
        (
            verdict(result(), result("failed")),
            "It may not be released: 1 of 2 gates did not pass: accuracy at least 0.9 (failed).",
        ),
    ],
)
def test_one_sentence_says_whether_it_may_be_released(found, expected):
    assert sentence(found) == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("accuracy", Interval(0.9, 0.85, 0.95), f"90.0{THIN}% (85.0 to 95.0{THIN}%)"),
        ("slices.dim light.gap", Interval(-0.05, -0.1, 0.02), "−5.0 points (−10.0 to +2.0 points)"),
        ("auroc", Interval(0.9), "0.900"),
        ("quality.findings", Interval(3.0), "3"),
        ("explanation.share.outside", Interval(0.25), f"25.0{THIN}%"),
        ("robustness.blur.3.accuracy", Interval(None), "not measured"),
    ],
)
def test_figures_are_told_in_their_unit(name, value, expected):
    assert measured(name, value) == expected


def test_a_bound_against_production_is_one_of_the_difference():
    assert bound(against_production()) == "at least −2 points from production"
    assert bound(result(name="fairness.x.gap", asked={"metric": "fairness.*.gap", "within": 0.1})) == "within 10 points"


def test_the_closing_table_shows_every_gate_and_the_answer(content_of, tmp_path):
    content = content_of()
    judged = verdict(result(), against_production())
    rows = closing_table(content.evaluation.as_json(), content.seconds, {}, tmp_path, judged)
    told = {what: (value, remark) for what, value, remark in rows}
    assert told["Gate: accuracy at least 0.9"][0] == "passed"
    word, remark = told["Gate: accuracy at least production"]
    assert word == "undecided, fails"
    assert "94.0" in remark
    assert "95.0" in remark
    assert "about 1,300 test samples would decide it" in remark
    assert rows[-2][0] == "It may not be released"
    assert rows[-1][0] == "Report"


def test_the_page_answers_on_its_first_screen_and_shows_every_gate(content_of):
    judged = verdict(result(), against_production(), production=PRODUCTION)
    page = render(content_of(verdict=judged)).decode()
    summary = page[page.index('id="summary"') : page.index('id="gates"')]
    assert '<strong class="stopped">It may not be released</strong>: 1 of 2 gates did not pass' in summary
    section = gates(content_of(verdict=judged))
    assert "aaaaaaaa-00000001/2" in section
    assert len(re.findall("<tr>", section)) == 3


def test_a_page_without_gates_has_no_section_for_them(content_of):
    page = render(content_of()).decode()
    assert 'id="gates"' not in page
    assert "No gate says whether it may be released." in page


def test_names_of_strangers_are_escaped(content_of):
    evil = "per_class.<img src=x>.recall"
    page = render(content_of(verdict=verdict(result(name=evil, remark="<script>"))))
    assert b"<img src=x>" not in page
    assert b"<script>" not in page


def test_a_gate_of_which_nothing_could_be_measured_says_that():
    nothing = replace(result("undecided", passed=False, name="slices.a.gap", value=Interval(None)), looked_at=16)
    assert reason(nothing).endswith("found none of 16 figures could be measured")
