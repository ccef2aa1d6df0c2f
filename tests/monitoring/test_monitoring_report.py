"""`totalml monitor report`: from the history of a monitor, the log and kept pictures to the page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.monitoring import released
from tests.monitoring.looked import pint
from tests.monitoring.traffic import MIDNIGHT, MODEL, OTHER, RELEASE, Service, every
from totalml.alerts.alerts import Alerts
from totalml.alerts.finding import Finding, Sample
from totalml.cli import main
from totalml.deployment.deployment import Deployment
from totalml.deployment.deployments import DEPLOYED
from totalml.monitoring.history import History, Looked
from totalml.monitoring.monitor_report import gathered
from totalml.monitoring.page.logged import said, volume_of
from totalml.monitoring.page.page import render
from totalml.monitoring.verdict import CONCEPT, NONE, OF_WINDOW, QUALITY, SEASON, Evidence, Verdict
from totalml.prediction_log.sampled_pictures import save_picture
from totalml.registry import Aliases, Promotion
from totalml.release.named import find_named
from totalml.store import Store
from totalml.store.event import Draft

DAY = timedelta(days=1)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    for part in ("conf", "recipes"):
        (tmp_path / part).mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def store(project) -> Store:
    return Store(project / ".totalml")


def looked(store: Store, verdict: Verdict, number: int = 0, samples: tuple[Sample, ...] = ()) -> None:
    start, end = ((MIDNIGHT + each * DAY).isoformat(timespec="microseconds") for each in (number, number + 1))
    assert History(store, MODEL).append(Looked(RELEASE, start, start, end, 24, 0, verdict, "", samples))


def test_the_page_is_written_beside_the_runs_and_its_path_told(project, store, capsys):
    looked(store, Verdict(NONE, "nothing"))
    assert main(["monitor", "report", MODEL, "--days", "3660"]) == 0
    path = project / "runs" / MODEL / "monitor.html"
    assert capsys.readouterr().out == f"Page: {path}\n"
    assert b"Is all well with pints?" in path.read_bytes()
    assert main(["monitor", "report", MODEL, "--days", "3660", "--out", "here.html"]) == 0
    assert (project / "here.html").read_bytes().startswith(b"<!doctype html>")


def test_rows_that_came_after_their_window_are_counted_and_told(store):
    service = Service(store)
    service.answer(every(60, 24))
    service.answer(every(60, 24, MIDNIGHT + 3 * DAY))
    for day in (0, 3):  # between them nothing had come
        looked(store, Verdict(NONE, "nothing"), day)
    back = {"back": 30 * DAY, "now": MIDNIGHT + 5 * DAY}
    assert gathered(store, MODEL, **back).late == 0
    service.answer(every(1, 4, MIDNIGHT))
    service.answer(every(1, 2, MIDNIGHT + DAY))
    service.answer(every(1, 3, MIDNIGHT), OTHER)  # which nobody watches
    service.answer(every(1, 5, MIDNIGHT + 4 * DAY))  # of the next window
    content = gathered(store, MODEL, **back)
    assert content.late == 6
    assert b"Nobody has looked at 6 rows that came only after the window of their time" in render(content)
    assert b"6 came too late" in render(content)


def test_of_one_release_only_what_it_answered_is_shown(project, store, capsys):
    """By what a monitor of it is asked for: an alias, or the start of its hash."""
    for release, alias in ((RELEASE, "production"), (OTHER, "candidate")):
        moved = Promotion("2026-01-01T00:00:00+00:00", alias, "00000000-00000000", 1, "", "eve", release=release)
        Aliases(store, MODEL).move(lambda _, moved=moved: moved)
    looked(store, Verdict(NONE, "nothing"))
    start, end = (f"2026-03-0{day}T00:00:00.000000+00:00" for day in (4, 5))
    History(store, MODEL).append(Looked(OTHER, start, start, end, 7, 0, Verdict(CONCEPT, "it errs", "page"), ""))
    Alerts(store, MODEL).raise_alert(Finding(CONCEPT, "page", "it errs", "", OTHER))
    Service(store).answer(every(60, 5, MIDNIGHT + 2 * DAY), OTHER)
    for text, release, rows, open_alerts in ((f"{MODEL}@production", RELEASE, 0, 0), ("22222222", OTHER, 5, 1)):
        named = find_named(text, store)
        content = gathered(store, MODEL, 30 * DAY, MIDNIGHT + 5 * DAY, named)
        assert [each.release for each in content.looked] == [release]
        assert sum(each.rows for each in content.volume) == rows
        assert len(content.alerts) == open_alerts
    assert main(["monitor", "report", f"{MODEL}@candidate", "--days", "3660"]) == 0
    path = project / "runs" / MODEL / "monitor-22222222.html"
    assert capsys.readouterr().out == f"Page: {path}\n"
    assert b"Is all well with pints@candidate?" in path.read_bytes()
    assert main(["monitor", "report", f"{MODEL}@candidates"]) == 2
    assert "has no alias or release 'candidates', did you mean 'candidate'?" in capsys.readouterr().err


def test_whether_the_model_sees_pictures_and_when_it_was_looked_at_before_is_known(store):
    table = released.release(store, released.rows(200), {})
    start, end = ((MIDNIGHT + each * DAY).isoformat(timespec="microseconds") for each in (0, 1))
    looked(store, Verdict(NONE, "nothing"), 0)
    assert gathered(store, MODEL, 3 * DAY, MIDNIGHT + 2 * DAY).pictured  # nobody knows of a release that is gone
    after = gathered(store, MODEL, 3 * DAY, MIDNIGHT + 9 * DAY)
    assert (after.looked, after.earlier) == ([], MIDNIGHT + DAY)
    History(store, MODEL).append(Looked(table.hash, start, start, end, 24, 0, Verdict(NONE, "nothing"), "", ()))
    content = gathered(store, MODEL, 3 * DAY, MIDNIGHT + 2 * DAY)
    assert (content.pictured, content.earlier) == (False, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pinst"], "nothing that 'pinst' answered is kept, and no monitor looked at it, did you mean 'pints'?"),
        (["../pints"], "nothing that '../pints' answered is kept"),
        ([MODEL, "--days", "0"], "--days 0 is to be from 1 to 3,660"),
        ([MODEL, "--out", "conf"], "--out conf is a folder; name a file in it"),
    ],
)
def test_mistakes_are_told_in_a_line(store, arguments, message, capsys):
    looked(store, Verdict(NONE, "nothing"))
    assert main(["monitor", "report", *arguments]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert len(told.splitlines()) == 1


def test_a_page_that_cannot_be_written_is_told_in_a_line(project, store, capsys):
    looked(store, Verdict(NONE, "nothing"))
    (project / "a file").write_bytes(b"")
    assert main(["monitor", "report", MODEL, "--out", "a file/monitor.html"]) == 5
    told = capsys.readouterr().err
    assert "a file" in told
    assert len(told.splitlines()) == 1


def test_only_windows_of_the_time_asked_for_are_shown(store):
    for number in range(4):
        looked(store, Verdict(NONE, "nothing"), number)
    shown = gathered(store, MODEL, 2 * DAY, MIDNIGHT + 4 * DAY)
    assert [each.start[:10] for each in shown.looked] == ["2026-03-04", "2026-03-05"]


def test_rows_of_each_day_are_counted_and_days_without_any(store):
    Service(store).answer(every(60, 30))
    volume = volume_of(store, MODEL, MIDNIGHT - DAY, MIDNIGHT + 3.5 * DAY)
    assert [(each.since[:10], each.rows) for each in volume] == [
        ("2026-03-01", 0), ("2026-03-02", 24), ("2026-03-03", 6), ("2026-03-04", 0), ("2026-03-05", 0)
    ]  # fmt: skip
    assert volume[-1].until == (MIDNIGHT + 3.5 * DAY).isoformat()


def test_rows_that_came_after_the_last_window_are_told_apart_within_the_day(store):
    Service(store).answer(every(60, 30))
    start, end = MIDNIGHT.isoformat(timespec="microseconds"), (MIDNIGHT + DAY / 2).isoformat(timespec="microseconds")
    History(store, MODEL).append(Looked(RELEASE, start, start, end, 12, 0, Verdict(NONE, "nothing"), {}))
    shown = gathered(store, MODEL, DAY * 3, MIDNIGHT + 3 * DAY)
    assert shown.unseen == 18
    assert sum(each.rows for each in shown.volume) == 30


def test_seasons_are_those_that_verdicts_expected(store):
    for number, season in enumerate(["", "the week", "the week", "", "the week"]):
        looked(store, Verdict(SEASON if season else NONE, "told", season=season), number)
    shown = gathered(store, MODEL, 9 * DAY, MIDNIGHT + 6 * DAY)
    days = [(each.name, each.since[:10], each.until[:10]) for each in shown.seasons]
    assert days == [("the week", "2026-03-03", "2026-03-05"), ("the week", "2026-03-06", "2026-03-07")]


def test_the_settings_are_those_of_what_was_deployed_last(store):
    looked(store, Verdict(NONE, "nothing"))
    assert gathered(store, MODEL, DAY, MIDNIGHT + DAY).settings is None
    for rate in (1.0, 4.0):
        deployment = Deployment(model=MODEL, monitoring={"false_alarms_per_year": rate, "rows_per_day": 70.0})
        facts = {"deployment": "pub", "settings": deployment.as_json(), "why": "", "forced": []}
        store.journal(MODEL).append_decided(lambda _, facts=facts: Draft(DEPLOYED, facts, "me", MIDNIGHT.isoformat()))
    shown = gathered(store, MODEL, DAY, MIDNIGHT + DAY)
    assert shown.settings is not None
    assert (shown.settings.false_alarms_per_year, shown.rows_per_day, shown.deployment) == (
        4.0, 70.0, "deployments/pub.yaml"
    )  # fmt: skip


def test_alerts_that_are_open_are_on_the_page_and_those_that_are_over_are_not(store):
    looked(store, Verdict(NONE, "nothing"))
    alerts = Alerts(store, MODEL)
    over, waits = (alerts.raise_alert(Finding(CONCEPT, "page", f"told {each}", what=str(each))) for each in range(2))
    alerts.resolve(over.id, "mended")
    page = render(gathered(store, MODEL, DAY, MIDNIGHT + DAY)).decode()
    assert "1 alert is still open" in page
    assert waits.id in page
    assert "told 1" in page
    assert "told 0" not in page


def test_kept_pictures_of_the_window_that_alarmed_come_in_its_order(store):
    asked = Service(store).answer(every(60, 24))
    chosen = [asked[5], asked[23], asked[2]]
    for request in (asked[2], asked[5], asked[7]):
        save_picture(store, MODEL, MIDNIGHT, request, pint(2))
    # The service's clock had turned when it kept this one.
    save_picture(store, MODEL, MIDNIGHT + DAY, asked[23], pint(3))
    alarm = Verdict(QUALITY, "told", "page", (Evidence(OF_WINDOW, True, "moved"),))
    looked(store, alarm, samples=tuple(Sample(request, "0") for request in [*chosen, asked[9]]))
    shown = gathered(store, MODEL, 9 * DAY, MIDNIGHT + 2 * DAY)
    assert [each.request_id for each in shown.pictures] == chosen
    assert {each.said for each in shown.pictures} == {"good"}
    assert shown.pictures[1].picture == pint(3)


def test_answers_of_every_task_are_told_in_words():
    assert (
        said({"answer:predicted": "good", "answer:confidence": 0.71, "id": "x"}) == "good, 71\N{NARROW NO-BREAK SPACE}%"
    )
    assert said({"answer:predicted": ["dark", "wet"]}) == "dark, wet"
    assert said({"answer:predicted": []}) == "none of them"
    assert said({"answer:value": 12.3456, "answer:lower": None}) == "value 12.35"
    assert said({}) == ""


def test_a_model_that_nobody_looked_at_yet_has_a_page(project, store, capsys):
    came = datetime(2026, 3, 2, 12, tzinfo=UTC)
    Service(store).answer([came])
    assert main(["monitor", "report", MODEL]) == 0
    assert "Nobody has looked yet." in (project / "runs" / MODEL / "monitor.html").read_text("utf-8")
    page = render(gathered(store, MODEL, DAY, came + DAY / 2)).decode()
    assert "Nobody has looked yet." in page
    assert "1 row" in page


def test_before_the_first_look_both_say_when_that_can_be_and_the_page_how_much_came(project, store, capsys):
    kept = released.release(store, released.rows(200), {"window": {"hours": 6}})
    assert main(["monitor", MODEL]) == 0
    assert capsys.readouterr().out == f"{MODEL}@production: nothing was answered yet\n"
    far = datetime(2999, 1, 1, 1, tzinfo=UTC)  # no window of it is over, whenever this runs
    released.answer(store, released.rows(5, 1), [far] * 5, kept.hash)
    assert main(["monitor", MODEL]) == 0
    told = "the first window ends 2999-01-01T06:00 UTC, and is looked at after that"
    assert capsys.readouterr().out == f"{MODEL}@production: {told}\n"
    page = render(gathered(store, MODEL, DAY, far + DAY / 2)).decode()
    assert "Look at what was answered once the first window is over" in page
    assert "5 rows came so far." in page
    assert "A window is 6 hours long" in page
