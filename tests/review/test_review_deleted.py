"""What was deleted, on request or with the days of the log, is in no batch and on no page, and asked of nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.review.asked import MODEL, item
from totalml.alerts.alert import Alert
from totalml.alerts.finding import Finding, Sample
from totalml.alerts.review import queue_labels, queued
from totalml.prediction_log import asked as deletion
from totalml.prediction_log.deletion import Deleted, Sought, delete
from totalml.prediction_log.housekeeping import Housekeeping, remove_older_items
from totalml.prediction_log.settings import LogSettings
from totalml.recipe.review import ReviewRecipe
from totalml.review.desk import Desk
from totalml.review.figures import team_figures
from totalml.review.item import ASK_PLAN, GIVEN, Item, items_of, table_of
from totalml.review.reviews import Reviews
from totalml.store import Store

GONE = "blake3:" + "c" * 64
GOOD = {"label": {"label": "light"}}
MINE, OTHERS = item(1, input=GONE, facts={"pub": "Mulligan's"}), item(2, input="blake3:" + "d" * 64)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    reviews = Reviews(Store(tmp_path / "store"), MODEL)
    reviews.queue(table_of([MINE, OTHERS]), "the log")
    return Desk(reviews, ReviewRecipe())


def everything(store: Store) -> bytes:
    return b"".join(file.read_bytes() for file in store.root.rglob("*") if file.is_file())


def test_a_deletion_reaches_batches_and_pages_that_have_them_in_memory(desk, tmp_path):
    assert [each.item for each in desk.next("eve")] == [MINE.item]
    desk.give("eve", "key-00001", MINE, GOOD)
    desk.next("bob", 2)
    store = Store(tmp_path / "store")
    assert b"Mulligan" in everything(store)
    assert delete(store, MODEL, Sought(GONE)) == Deleted(0, 0, 0, items=1)
    assert delete(store, MODEL, Sought(GONE)) == Deleted(0, 0, 0)
    assert not any(word in everything(store) for word in (GONE.encode(), b"Mulligan", b"order-1"))
    desk.look()
    for each in (desk, Desk(Reviews(store, MODEL), ReviewRecipe())):
        assert each.of("eve", MINE.item) is each.item(MINE.item) is None
        assert [found.item for found in each.next("bob", 2)] == [OTHERS.item]
        assert each.standing("bob").waiting == 1
    assert desk.take_back("eve", "back-0001") is None


def test_what_is_asked_anew_after_a_deletion_is_asked(desk, tmp_path):
    store = Store(tmp_path / "store")
    delete(store, MODEL, Sought(GONE))
    desk.reviews.queue(table_of([replace(MINE, note="sent again")]), "the log")
    desk.look()
    for each in (desk, Desk(Reviews(store, MODEL), ReviewRecipe())):
        assert {found.item for found in each.next("eve", 2)} == {MINE.item, OTHERS.item}


def test_a_deletion_that_was_killed_is_completed_by_the_next(desk, tmp_path, monkeypatch):
    store = Store(tmp_path / "store")
    with monkeypatch.context() as killed:
        killed.setattr(deletion, "parquet_bytes", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            delete(store, MODEL, Sought(GONE))
    assert delete(store, MODEL, Sought(GONE)).items == 1
    assert items_of(desk.reviews.items(desk.reviews.batches[0])) == [OTHERS]
    desk.look()
    assert desk.item(MINE.item) is None


def test_items_of_requests_go_with_the_days_of_the_log_and_those_of_snapshots_stay(tmp_path):
    store, now = Store(tmp_path / "store"), datetime(2026, 11, 28, 15, tzinfo=UTC)
    came = {days: item(days, input=GONE, time=now - timedelta(days=days)) for days in (0, 29, 30, 31, 90)}
    known = item(100, request_id=None, sample="pint-1", data_hash="blake3:" + "e" * 64, input=GONE, time=datetime.min)
    plan = Item(queue=GIVEN, ask=ASK_PLAN, release="blake3:" + "a" * 64)
    file = item(101, request_id=None, input=GONE, sample="a.png", time=now - timedelta(days=90))
    ago, today = (Reviews(store, MODEL, lambda at=at: at) for at in (now - timedelta(days=40), now))
    later = replace(file, sample="b.png")
    ago.queue(table_of([*came.values(), known, plan, file]), "the log")
    today.queue(table_of([later]), "a file")
    desk = Desk(today, ReviewRecipe())
    desk.give("eve", "key-00001", came[90], GOOD)
    assert desk.standing("bob").waiting == 8
    # Days that ended more than 30 days ago: 30 days ago is 29 October, which ended 29 and a half days ago.
    assert remove_older_items(store, MODEL, 30, now) == 3
    assert remove_older_items(store, MODEL, 30, now) == 0
    desk.look()
    kept = [came[0], came[29], came[30], known, plan, later]
    for each in (desk, Desk(Reviews(store, MODEL), ReviewRecipe())):
        assert {found.item for found in each.next("bob", 9)} == {found.item for found in kept}
    assert desk.reviews.last_of(came[90].item, "eve") is not None  # what she said stays
    assert team_figures(desk.reviews, lambda _: {}, None, now).verdicts == 0


def test_what_alerts_asked_for_goes_with_the_days_of_the_log(tmp_path):
    store, now = Store(tmp_path / "store"), datetime(2026, 11, 28, 15, tzinfo=UTC)
    for number, days in ((1, 40), (2, 20)):
        finding = Finding("concept", "page", "it errs", release="r", samples=(Sample(f"order-{number}", input=GONE),))
        alert = Alert(f"pints-{number}", MODEL, finding, "raised", frozenset(), now, now, now, 1, "raised", "", ())
        queue_labels(alert, store, now - timedelta(days=days))
    assert remove_older_items(store, MODEL, 30, now) == 0
    assert queued(store, MODEL)["alert"].to_pylist() == ["pints-2"]


def test_services_keep_items_no_longer_than_their_log(tmp_path):
    store, now = Store(tmp_path / "store"), datetime.now(UTC)
    Reviews(store, MODEL).queue(table_of([item(1, input=GONE, time=now - timedelta(days=9)), OTHERS]), "the log")
    for days, left in ((None, 2), (30, 2), (5, 1)):
        Housekeeping(store, MODEL, LogSettings(days=days)).round()
        (reviews := Reviews(store, MODEL)).look()
        assert len(reviews.items(reviews.batches[0])) == left


def test_a_damaged_batch_keeps_no_day_of_the_log_from_going(tmp_path, capsys):
    store, day = Store(tmp_path / "store"), "2020-01-01"
    store.save_file(b"no table", "review", MODEL, "items", "torn.parquet")
    store.save_file(b"a picture", "pictures", MODEL, day, "a" * 64)
    Housekeeping(store, MODEL, LogSettings(days=5)).round()
    assert day not in store.names("pictures", MODEL)
    assert "torn.parquet" in capsys.readouterr().err


def test_a_deletion_reaches_what_alerts_asked_for_and_its_labels(tmp_path):
    store, now = Store(tmp_path / "store"), datetime(2026, 11, 28, 15, tzinfo=UTC)
    samples = (Sample("order-1", input=GONE), Sample("order-2", input=OTHERS.input))
    finding = Finding("concept", "page", "it errs", release="r", samples=samples)
    queue_labels(
        Alert("pints-1", MODEL, finding, "raised", frozenset(), now, now, now, 1, "raised", "", ()), store, now
    )
    assert deletion.requests_asked(store, MODEL, [GONE]) == {"order-1"}
    assert delete(store, MODEL, Sought(GONE)) == Deleted(0, 0, 0, items=1)
    assert delete(store, MODEL, Sought(GONE)) == Deleted(0, 0, 0)
    assert queued(store, MODEL)["request_id"].to_pylist() == ["order-2"]
    assert GONE.encode() not in everything(store)
