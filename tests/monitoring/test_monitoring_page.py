"""The page of a monitor: nothing that was found is hidden, nothing of a stranger becomes markup, and it stays small."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from math import log

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.monitoring.looked import DAY, FIRST, at, day, pictures, sixty_days, window
from totalml.monitoring.budget import DAYS_A_YEAR, SHARES
from totalml.monitoring.page import KeptPicture, MonitorContent, Season, Volume, write_monitor_page
from totalml.monitoring.page.causes import MEANINGS
from totalml.monitoring.page.detectors import column
from totalml.monitoring.page.moments import Axis, in_words, span
from totalml.monitoring.page.nearness import MOST, nearness
from totalml.monitoring.page.page import LIMIT_BYTES, render
from totalml.monitoring.page.promise import promise
from totalml.monitoring.page.spells import spells
from totalml.monitoring.page.timeline import changes
from totalml.monitoring.verdict import (
    CAUSES,
    CONCEPT,
    NONE,
    OF_LEVERS,
    OF_PERIODS,
    OF_STREAM,
    OF_WINDOW,
    PAGE,
    SEVERITY,
    TOO_FEW,
    UNKNOWN,
    Evidence,
    Verdict,
)
from totalml.recipe.monitoring import MonitoringRecipe
from totalml.report.number_format import THIN, quantity

NASTY = '<img src=x onerror="alert(1)">\u202e\ud800"\'&' + "very " * 400 + "long"
HOUR = timedelta(hours=1)


class Text(HTMLParser):
    """The words of a page, of an element by its id too, and which elements there are."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def whole(self) -> str:
        return " ".join(" ".join(self.words).split())


def text(content: MonitorContent) -> str:
    return Text(render(content)).whole


def content(*verdicts: Verdict, **others) -> MonitorContent:
    looked = [window(number, each) for number, each in enumerate(verdicts)]
    return MonitorContent("guinness", FIRST, FIRST + timedelta(days=90), looked, **others)


def rows_of(page: bytes, table: str) -> list[str]:
    found = re.search(rf'<table class="{table}">.*?<tbody>(.*?)</tbody>', page.decode(), re.DOTALL)
    assert found
    return re.findall(r"<tr>.*?</tr>", found[1], re.DOTALL)


def test_the_first_sentence_is_of_the_latest_window():
    told = text(sixty_days())
    assert "Is all well with guinness?" in told
    assert "No. The model errs more often than it did, since about 27 March 2026 (between 26 and 29 March)." in told


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_its_answer_and_what_to_do(cause):
    told = text(content(Verdict(cause, "told", SEVERITY.get(cause, ""), season="the week")))
    meaning = MEANINGS[cause]
    assert f"{meaning.answer} {meaning.told.format(season='the week')}, since 1 February 2026." in told
    assert meaning.to_do in told
    assert meaning.command.format(model="guinness") in told


def test_an_alert_that_is_open_is_not_hidden_by_a_quiet_window():
    alert = {
        "id": "guinness-3",
        "verdict": CONCEPT,
        "severity": PAGE,
        "sentence": "x",
        "since": at(3),
        "state": "raised",
    }
    quiet = Verdict(NONE, "Nothing moved.")
    assert "Yes. Nothing moved that chance does not explain" in text(content(quiet, alerts=()))
    told = text(content(quiet, alerts=[alert]))
    assert "Perhaps not. The latest window is quiet, but 1 alert is still open." in told
    assert "Yes." not in told
    assert "guinness-3" in told


def test_nobody_is_told_that_no_alert_is_open_where_nobody_asked():
    assert "Open alerts" not in text(content(Verdict(NONE, "nothing")))


def test_every_window_is_in_the_table():
    page = render(sixty_days())
    assert [re.search(r"\d{4}-\d\d-\d\d", row)[0] for row in rows_of(page, "windows")] == [
        at(number)[:10] for number in reversed(range(60))
    ]


@settings(max_examples=30)
@given(st.lists(st.sampled_from(CAUSES), min_size=1, max_size=80))
def test_no_alarm_is_hidden_however_they_come(causes):
    shown = content(*(Verdict(cause, "told", SEVERITY.get(cause, "")) for cause in causes))
    page = render(shown)
    alarmed = sum(cause in SEVERITY for cause in causes)
    bold = [row for row in rows_of(page, "windows") if "<b>" in row]
    assert len(bold) == alarmed
    assert sum(len(spell.looked) for spell in spells(shown.looked)) == len(causes)


def test_where_windows_are_too_many_for_the_table_those_that_alarmed_stay():
    few = [Verdict(CONCEPT if number == 17 else NONE, "told", PAGE if number == 17 else "") for number in range(5000)]
    looked = [window(number, each, length=HOUR) for number, each in enumerate(few)]
    page = render(MonitorContent("guinness", FIRST, FIRST + 5000 * HOUR, looked))
    rows = rows_of(page, "windows")
    assert len(rows) == 4000
    assert sum("<b>concept</b>" in row for row in rows) == 1
    assert "4,000 of them here" in page.decode()


def test_what_strangers_name_becomes_no_markup():
    moves = [{"name": NASTY, "statistic": NASTY, "value": 0.5, "p": 0.01, "before": 1.0, "now": 2.0, "of": NASTY}]
    slices = [{"name": NASTY, "bound": 0.1, "labels": 3}]
    faults = [{"words": NASTY, "share": 0.2, "expected": None, "p": 0.0, "certain": True}]
    facts = {"moves": moves, "slices": slices, "faults": faults}
    evidence = Evidence(NASTY, True, NASTY, 1e-9, 1e-3, (NASTY,), at(0), facts=facts)
    verdict = Verdict(NASTY, NASTY, PAGE, (evidence,), {NASTY: NASTY}, season=NASTY)
    hostile = content(
        verdict,
        deployment=NASTY,
        alerts=[{"id": NASTY, "verdict": NASTY, "severity": NASTY, "sentence": NASTY, "since": NASTY, "state": NASTY}],
        seasons=[Season(NASTY, at(0), at(1))],
        pictures=[KeptPicture(b"no picture", NASTY, NASTY, at(0)), *pictures(1)],
    )
    page = Text(render(hostile))
    names = {tag for tag, _ in page.elements}
    assert not names & {"script", "iframe", "object", "form"}
    assert all(attributes.get("src", "data:").startswith("data:") for _, attributes in page.elements)
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert '<img src=x onerror="alert(1)">' in page.whole


def test_faults_groups_and_columns_of_the_window_that_alarmed_are_told():
    told = text(sixty_days(looked=[day(number) for number in range(33)])).replace(THIN, " ")
    assert "are darker than any of the reference 1.0 % 22.0 % under 0.1 %" in told
    assert "picture: brightness 0.43 0.18 0.61 KS under 0.1 %" in told
    told = text(sixty_days()).replace(THIN, " ")
    assert "age_group=18-25 61 8.0 %" in told
    told = text(sixty_days(looked=[day(number) for number in range(27)])).replace(THIN, " ")
    assert "embedding 1 higher 325,000,000 to 1" in told


@pytest.mark.parametrize(
    "facts",
    [
        {"moves": "all"},
        {"moves": [1, None]},
        {"slices": {"a": 1}},
        {"faults": [{}]},
        {"moves": [{"p": "small", "value": True}]},
    ],
)
def test_facts_of_another_shape_are_left_out(facts):
    evidence = Evidence(OF_WINDOW, True, "x", facts=facts)
    assert "What the tests say" in text(content(Verdict(UNKNOWN, "x", "ticket", (evidence,))))


def test_without_any_window_the_page_says_that_nobody_has_looked():
    told = text(MonitorContent("guinness", FIRST, FIRST + timedelta(days=1)))
    assert "Nobody has looked yet." in told
    assert "totalml monitor guinness" in told
    volume = [Volume(at(0), at(1), 10)]
    first = MonitorContent(
        "guinness", FIRST, FIRST + DAY, volume=volume, settings=MonitoringRecipe(window={"hours": 6})
    )
    assert "10 rows came so far. A window is 6 hours long, and is looked at once it is over." in text(first)


def test_where_nobody_has_looked_for_long_it_says_since_when_and_what_is_still_open():
    quiet = MonitorContent("guinness", FIRST, FIRST + DAY, earlier=FIRST - DAY, alerts=sixty_days().alerts)
    assert f"Nobody has looked since {in_words(FIRST - DAY)}. 1 alert is still open." in (told := text(quiet))
    assert "Look at what was answered: totalml monitor guinness" in told


def test_of_a_model_of_a_table_no_pictures_are_spoken_of():
    verdict = Verdict(CONCEPT, "it errs", "page")
    assert "Pictures that show it most" in text(content(verdict))
    assert "Pictures that show it most" not in text(content(verdict, pictured=False))


def test_what_comes_to_one_time_is_once():
    told = text(content(*[Verdict(NONE, "nothing")] * 61, settings=MonitoringRecipe(false_alarms_per_year=6)))
    assert "so about once in the windows shown" in told


def test_the_budget_is_that_of_the_windows_and_not_of_days_in_which_nobody_looked():
    told = text(sixty_days(since=FIRST - 305 * DAY))
    assert "nothing twice a year, so about 0.33 times in the windows shown" in told


@pytest.mark.parametrize(
    ("asked", "told", "not_told"),
    [
        ((OF_PERIODS, OF_LEVERS), ("Whole periods", "Levers"), ("Shares", "Where it looks")),
        ((OF_PERIODS,), ("Whole periods",), ("Levers", "Shares", "Where it looks")),
        ((), ("Shares", "Where it looks"), ("Levers", "Whole periods")),
    ],
)
def test_the_budget_is_shared_out_among_the_tests_that_were_asked(asked, told, not_told):
    verdict = Verdict(NONE, "quiet", evidence=tuple(Evidence(each, False, "quiet") for each in asked))
    page = render(content(verdict, settings=MonitoringRecipe())).decode()
    promised = page[page.index('id="promise"') :]
    assert all(f">{each}</th>" in promised for each in told)
    assert not any(f">{each}</th>" in promised for each in not_told)


def test_rows_that_nobody_has_looked_at_are_told():
    volume = [Volume(at(number), at(number + 1), 10) for number in range(4)]
    shown = content(Verdict(NONE, "nothing"), Verdict(NONE, "nothing"), volume=volume)
    assert shown.unseen == 20
    assert "Nobody has looked at 20 rows that came after that" in text(shown)


def test_one_window_is_a_page():
    told = text(content(Verdict(TOO_FEW, "12 more rows would do.")))
    assert "Nobody can tell. Too little came to say anything" in told


def test_two_thousand_windows_stay_small():
    hours = [window(number, Verdict(NONE, ""), length=HOUR) for number in range(2000)]
    days = [day(number % 60) for number in range(40, 2040)]  # so that the last one is a day that alarmed
    looked = [replace(each, start=hour.start, end=hour.end) for each, hour in zip(days, hours, strict=True)]
    page = render(sixty_days(looked=looked, until=FIRST + 2000 * HOUR, pictures=pictures(24)))
    assert len(page) < LIMIT_BYTES
    assert len(rows_of(page, "windows")) == 2000
    assert page.count(b"data:image/") == 24 + 6


def test_pictures_that_cannot_be_read_are_told_and_kept_ones_shown():
    page = render(sixty_days(pictures=[KeptPicture(b"\x89PNG no picture", "req", "good", at(59)), *pictures(3)]))
    assert page.count(b"data:image/") == 3 + 3
    assert "1 picture cannot be read." in Text(page).whole


def test_where_no_picture_is_kept_it_says_how_to_keep_some():
    assert "log.pictures: 0.05" in text(sixty_days(pictures=()))


def test_it_is_written_whole_and_holds_no_script(tmp_path):
    path = write_monitor_page(tmp_path / "a" / "monitor.html", sixty_days())
    page = path.read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert [each.name for each in path.parent.iterdir()] == ["monitor.html"]


def test_what_is_not_in_the_time_shown_lies_at_its_ends():
    axis = Axis(FIRST, FIRST + timedelta(days=10))
    assert [axis.share(at(number)) for number in (-5, 0, 5, 10, 20)] == [0, 0, 0.5, 1, 1]
    assert all(0 <= axis.share(when) <= 1 for when, _ in axis.ticks())


@pytest.mark.parametrize(
    "length", [HOUR, timedelta(days=1), timedelta(days=7), timedelta(days=90), timedelta(days=3660)]
)
def test_any_time_has_a_few_ticks(length):
    assert 2 <= len(Axis(FIRST, FIRST + length).ticks()) <= 9


def test_days_are_told_as_people_do():
    assert span(at(0), at(1)) == "1 February 2026"
    assert span(at(0), at(5)) == "1 to 5 February 2026"
    assert span(at(27), at(29)) == "28 February to 1 March 2026"
    assert span("2026-02-01T14:00:00+00:00", "2026-02-01T15:30:00+00:00") == "1 February 2026, 14:00 to 15:30"
    assert span("2025-12-31T23:00:00+00:00", "2026-01-01T01:00:00+00:00") == (
        "31 December 2025, 23:00 UTC to 1 January 2026, 01:00 UTC"
    )


@given(st.floats(1e-300, 1), st.floats(1e-6, 0.5))
def test_a_chance_is_as_near_as_its_logarithm(p, level):
    near = nearness(Evidence(OF_WINDOW, p <= level, "", p, level))
    assert near is not None
    assert (near >= 1) == (p <= level)
    if p > level and log(p) / log(level) < 0.97:
        assert near == pytest.approx(log(p) / log(level))


@given(st.floats(-50, 50), st.floats(1, 20))
def test_evidence_that_grows_is_as_near_as_its_logarithm(value, level):
    near = nearness(Evidence(OF_STREAM, value >= level, "", value, level))
    assert near is not None
    assert (near >= 1) == (value >= level)
    if 0 <= value < 0.97 * level:
        assert near == pytest.approx(value / level)


@example(OF_STREAM, 1.0, float("nan"), False)
@example(OF_WINDOW, 1.0, float("inf"), True)
@given(st.sampled_from([OF_STREAM, OF_WINDOW]), st.floats() | st.none(), st.floats() | st.none(), st.booleans())
def test_nearness_is_bounded_whatever_was_measured(detector, value, level, alarm):
    near = nearness(Evidence(detector, alarm, "", value, level))
    assert near is not None
    assert 0 <= near <= MOST
    assert (near >= 1) == alarm


def test_what_could_not_be_asked_is_no_quiet_window():
    assert nearness(Evidence(OF_WINDOW, False, "too few", more=3)) is None


def test_a_release_that_comes_or_comes_back_is_marked_and_two_side_by_side_are_not():
    a, b = "blake3:" + "a" * 64, "blake3:" + "b" * 64
    back = [window(number, Verdict(NONE, ""), release=each) for number, each in enumerate((a, a, b, b, a, a))]
    assert [each.start for each in changes(back)] == [at(2), at(4)]
    beside = [window(number, Verdict(NONE, ""), release=each) for number in range(4) for each in (a, b)]
    assert [(each.start, each.release) for each in changes(beside)] == [(at(0), b)]


def test_spells_of_releases_side_by_side_are_told_apart():
    a, b = "blake3:" + "a" * 64, "blake3:" + "b" * 64
    looked = [window(number, Verdict(NONE, ""), release=(a, b)[number % 2]) for number in range(6)]
    assert sorted((spell.last.release, len(spell.looked)) for spell in spells(looked)) == [(a, 3), (b, 3)]


def test_a_panel_is_promised_periods_and_others_rows():
    told = MonitoringRecipe(false_alarms_per_year=2)
    content = MonitorContent("marketing", FIRST, FIRST + timedelta(days=90), settings=told, rows_per_day=40.0)
    of_stream = DAYS_A_YEAR / (2 * SHARES[OF_STREAM])
    assert f"2.5 years, {quantity(40 * of_stream)} rows" in promise(content)
    weekly = promise(replace(content, period_days=7.0))
    assert f"2.5 years, {quantity(of_stream / 7)} weeks" in weekly
    assert f"{quantity(of_stream / 30)} periods" in promise(replace(content, period_days=30.0))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("metadata:marketing/spend_tv.lag0", "spend_tv"),
        ("metadata:marketing/spend_tv.lag3", "spend_tv.lag3"),
        ("metadata:km/h", "km/h"),
        ("answer:sales", "what it says: sales"),
        ("metadata:price", "price"),
    ],
)
def test_a_part_of_a_shared_feature_is_called_as_people_call_it(name, told):
    assert column(name) == told
