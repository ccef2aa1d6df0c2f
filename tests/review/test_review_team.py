"""What the team is told of itself: who errs on gold, who clicks through, what changed, where people would look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.review.asked import MODEL, item
from tests.review.judged import judgements, verdict
from totalml.review.figures.accuracy import outcomes
from totalml.review.figures.changes import change
from totalml.review.figures.figures import team_figures
from totalml.review.figures.intervals import exact
from totalml.review.figures.judgements import Judgements
from totalml.review.figures.judgements import judgements as read
from totalml.review.figures.reasons import SIDE, reasons
from totalml.review.figures.reviewers import reviewers
from totalml.review.item import ALERT, CONTROL, GOLD, UNCERTAIN, table_of
from totalml.review.reviews import Reviews
from totalml.review.said import Remark, Withdrawal
from totalml.store import Store

WEEK = timedelta(days=7)
NOW = datetime(2026, 11, 28, tzinfo=UTC)


def alone(judged: Judgements):
    return {each.item: each.label for each in judged.verdicts}


def test_errors_are_of_gold_alone_and_breaks_are_not_work():
    said = []
    for number in range(20):
        about = item(number, GOLD if number < 10 else CONTROL, truth={"label": "light"} if number < 10 else {})
        label = "dark" if number in (0, 1, 2, 15, 16) else None if number == 19 else "light"
        said.append((about, verdict(about, label, number=number, seconds=3000.0 if number % 5 == 0 else 6.0)))
    (eve,) = reviewers(judgements(*said))
    assert (eve.gold, eve.errors) == (10, exact(3, 10))
    assert (eve.verdicts, eve.cannot_tell, eve.wrong_subject) == (20, 0.05, 0)
    assert (eve.seconds, eve.items_an_hour) == (6, 600)
    assert not eve.remarks


def test_who_clicks_through_is_told_and_who_sees_many_of_one_class_is_not():
    kinds = ["dark" if number % 20 == 0 else "light" for number in range(400)]
    said = []
    for number, kind in enumerate(kinds):
        about = item(number)
        said.append((about, verdict(about, kind, "careful", number)))
        said.append((about, verdict(about, "light" if number > 100 else kind, "tired", number)))
        said.append((about, verdict(about, kind, "hasty", number, seconds=0.3 if number % 3 == 0 else 2.0)))
    said += [(item(number), verdict(item(number), "light", "new", number)) for number in range(1, 20)]
    told = {each.who: list(each.remarks) for each in reviewers(judgements(*said))}
    assert told["careful"] == told["new"] == []  # nineteen light ones in a row are usual here
    assert told["tired"] == ["the latest 299 say the same, which others of them would not"]
    assert told["hasty"] == ["34 of 100 of the latest took less than 0.7 s"]


def test_what_became_gold_by_what_people_said_of_it_is_no_error_or_right_answer_of_theirs():
    about = item(1, UNCERTAIN)
    said = [(about, verdict(about, "dark", "early", shown={"queue": UNCERTAIN})) for _ in range(1)]
    said.append((about, verdict(about, "dark", "late", shown={"queue": GOLD})))
    judged = replace(judgements(*said), truths={about.item: {"label": "light"}})
    assert {each.who: each.gold for each in reviewers(judged)} == {"early": 0, "late": 1}


def test_who_errs_more_on_gold_than_the_others_is_told_only_where_that_is_sure():
    wrong = {"sure": 40, "perhaps": 4, "good": 2, "better": 1}
    said = []
    for number in range(80):
        about = item(number, GOLD, truth={"label": "light"})
        for who, most in wrong.items():
            said.append((about, verdict(about, "dark" if number % 40 < most / 2 else "light", who, number)))
    told = {each.who: list(each.remarks) for each in reviewers(judgements(*said))}
    assert told.pop("sure") == ["errs more often on gold than the others"]
    assert not any(told.values())


def test_speed_is_held_against_that_of_the_first_half():
    said = [(item(n), verdict(item(n), "light", number=n, seconds=8.0 if n < 10 else 2.0)) for n in range(20)]
    (eve,) = reviewers(judgements(*said))
    assert (eve.earlier_seconds, eve.later_seconds) == (8, 2)


def weeks(before: int, now: int, each: int = 100, release: str = "blake3:" + "a" * 64):
    """Control items that were right in each of two weeks."""
    said = []
    for week, right in enumerate((before, now)):
        when = (NOW - WEEK * (2 - week) + timedelta(hours=1)).isoformat()
        for number in range(each):
            about = item(1000 * week + number, release=release if week else "blake3:" + "a" * 64)
            said.append((about, verdict(about, "light" if number < right else "dark", when=when)))
    judged = judgements(*said)
    return change(judged, outcomes(judged, alone(judged)), NOW, WEEK)


def test_a_change_is_told_only_where_it_can_be_told():
    assert weeks(95, 93).sentence.startswith("No change can be told: 93.0")
    fell = weeks(95, 70)
    assert fell.sentence.startswith("Live accuracy fell: 70.0")
    assert fell.gap.value == pytest.approx(-0.25)
    assert fell.gap.low < -0.25 < fell.gap.high < 0
    assert "another release" in weeks(70, 95, release="blake3:" + "c" * 64).sentence
    assert weeks(0, 0, each=0).sentence == "No change can be told: nobody judged a control item in the last week."


def test_taps_fall_where_people_tapped_and_only_shown_maps_count():
    said = []
    for number in range(10):
        about = item(number, CONTROL if number < 4 else UNCERTAIN)
        said.append((about, verdict(about, "dark" if number == 9 else "light")))
    judged = judgements(*said)
    keys = {about.request_id: each.key for about, each in said}
    remarks = {
        keys["order-5"]: Remark("remark-1", keys["order-5"], "eve", "", (0.999, 0.0)),
        keys["order-6"]: Remark("remark-2", keys["order-6"], "eve", "", None, "all is well"),
    }
    explained = [item(50, ask="explanation"), item(51, ask="explanation")]
    answers = [{"agrees": True}, {"agrees": False, "at": [1.0, 1.0]}]
    more = [(each, verdict(each, None, answer=answer)) for each, answer in zip(explained, answers, strict=True)]
    judged = judgements(*said, *more)
    found = reasons(replace(judged, remarks=remarks))
    assert (found.shown, found.wrong) == (5, exact(1, 5))  # blind ones were never shown, and of one it was wrong
    assert (found.asked, found.explanations) == (2, exact(1, 2))
    assert found.tapped == found.taps[0][SIDE - 1] + found.taps[SIDE - 1][SIDE - 1] == 2


def test_all_of_it_is_read_from_the_journal_as_it_stands(tmp_path: Path):
    reviews = Reviews(Store(tmp_path), MODEL)
    control = [item(number) for number in range(12)]
    reviews.queue(table_of([*control, item(20, UNCERTAIN, probability=0.5)]), "numbers")
    reviews.queue(table_of([item(0, ALERT), item(30, ALERT)]), "an alert")  # what chance drew stays what chance drew
    when = (NOW - timedelta(days=1)).isoformat()
    said = [verdict(each, "light" if number < 9 else "dark", when=when) for number, each in enumerate(control)]
    said.append(verdict(item(30), "dark", when=when))
    said.append(verdict(item(20), "dark", when=(NOW - timedelta(days=30)).isoformat()))
    reviews.say([*said, Withdrawal("key-taken", said[11].key, "eve", when)])
    assert read(reviews).items[item(0).item].queue == CONTROL
    found = team_figures(reviews, alone, NOW - WEEK, NOW)
    assert (found.verdicts, found.items) == (12, 12)
    (accuracy,) = found.accuracy
    assert accuracy.control == exact(9, 11)
    assert found.as_json()["reviewers"][0]["items_an_hour"] == 900
    assert found.agreement is None
    nothing = team_figures(reviews, alone, NOW - timedelta(hours=1), NOW)
    assert (nothing.accuracy, nothing.reviewers, nothing.verdicts) == ([], [], 0)
