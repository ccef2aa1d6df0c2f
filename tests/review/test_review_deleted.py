"""What was deleted on request is in no batch, is shown by no page that had it in memory, and is asked of nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.review.asked import MODEL, item
from totalml.prediction_log import asked as deletion
from totalml.prediction_log.deletion import Deleted, Sought, delete
from totalml.recipe.review import ReviewRecipe
from totalml.review.desk import Desk
from totalml.review.item import items_of, table_of
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
