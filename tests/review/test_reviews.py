"""The journal of what reviewers said: nothing lost, doubled or changed by anybody but who said it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from tests.review.asked import MODEL, item
from totalml.errors import RecipeError, StoreError
from totalml.evaluation.record import record_of
from totalml.review.item import items_of, schema, table_of
from totalml.review.reviews import Reviews, models_with_reviews
from totalml.review.said import Remark, Verdict, Withdrawal, read_answer
from totalml.store import Store
from totalml.store.event import Draft

NOW = datetime(2026, 11, 28, tzinfo=UTC)
TRUTH = record_of("classification").truth(["dark", "light"])
REASONS = ["too dark"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def verdict(key: str, label: str = "light", who: str = "eve", about: int = 1) -> Verdict:
    return Verdict(key, item(about).item, who, NOW.isoformat(), {"label": {"label": label}}, 2.5)


def test_what_is_written_is_read_by_everybody_else_as_it_was(store):
    reviews, other = Reviews(store, MODEL), Reviews(store, MODEL)
    items = [item(1, facts={"pub": "Mulligan's"}, truth={"label": "dark"}, time=NOW), item(2, pictures=("blake3:a",))]
    batch = reviews.queue(table_of(items), "the log")
    said = [verdict("key-00001"), Remark("key-00002", "key-00001", "eve", NOW.isoformat(), [0.5, 0.25], "the foam")]
    assert reviews.say(said) == said
    other.look()
    assert items_of(other.items(batch)) == items
    assert other.entries == said
    assert other.remarks("key-00001") == said[1:]
    assert reviews.queue(table_of(items), "the log") == batch
    assert reviews.batches == [batch]
    assert models_with_reviews(store) == [MODEL]


def test_what_is_said_twice_is_said_once_also_in_one_breath(store):
    reviews = Reviews(store, MODEL)
    first = verdict("key-00001")
    assert reviews.say([first, verdict("key-00001", "dark")]) == [first]
    assert Reviews(store, MODEL).say([verdict("key-00001", "dark")]) == []
    assert reviews.standing() == [first]


def test_the_last_verdict_that_was_not_taken_back_stands(store):
    reviews = Reviews(store, MODEL)
    one, two = verdict("key-00001"), verdict("key-00002", "dark")
    reviews.say([one, two])
    assert reviews.standing() == [two]
    reviews.say([Withdrawal("key-00003", "key-00002", "bob", NOW.isoformat())])  # not bob's to take back
    assert reviews.standing() == [two]
    reviews.say([Withdrawal("key-00004", "key-00002", "eve", NOW.isoformat())])
    assert reviews.standing() == [one]
    assert reviews.verdict("key-00002") == two
    assert reviews.last_by("eve") == one


def test_an_invitation_ends_by_time_by_a_newer_one_and_at_once(store):
    times = [NOW]
    reviews = Reviews(store, MODEL, lambda: times[0])
    token = reviews.invite("eve", days=7)
    assert reviews.reviewer(token) == "eve"
    assert reviews.reviewer(token[:-1]) is None
    times[0] = NOW + timedelta(days=7)
    assert reviews.reviewer(token) is None
    times[0] = NOW
    newer = reviews.invite("eve", days=7)
    assert (reviews.reviewer(token), reviews.reviewer(newer)) == (None, "eve")
    other = Reviews(store, MODEL, lambda: NOW)
    other.look()
    assert reviews.revoke("eve")
    assert not reviews.revoke("eve")
    other.look()
    assert other.reviewer(newer) is None


def test_names_that_look_the_same_are_one_reviewer(store):
    reviews = Reviews(store, MODEL)
    token = reviews.invite("Ren\u00e9", days=1)
    newer = reviews.invite(" Rene\u0301 ", days=1)
    assert (reviews.reviewer(token), reviews.reviewer(newer)) == (None, "Ren\u00e9")
    assert reviews.revoke("Rene\u0301")
    assert reviews.invited() == []


def test_the_store_holds_no_token(store):
    token = Reviews(store, MODEL).invite("eve", days=1)
    assert not any(token.encode() in file.read_bytes() for file in store.root.rglob("*") if file.is_file())


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 65])
def test_a_name_that_cannot_be_read_is_refused(store, name):
    with pytest.raises(RecipeError, match="reviewer's name"):
        Reviews(store, MODEL).invite(name, 1)


def test_an_event_of_a_newer_version_is_not_guessed_at(store):
    store.journal(f"{MODEL}.review").append(Draft("sung", {}, "eve", NOW.isoformat()), 0)
    with pytest.raises(StoreError, match="newer version"):
        Reviews(store, MODEL).look()


def test_what_stands_before_an_event_that_cannot_be_read_is_taken_once(store):
    reviews = Reviews(store, MODEL)
    reviews.queue(table_of([item(1)]), "the log")
    reviews.say([verdict("key-00001")])
    other, journal = Reviews(store, MODEL), store.journal(f"{MODEL}.review")
    journal.append(Draft("sung", {}, "eve", NOW.isoformat()), len(journal.events()))
    for _ in range(3):
        with pytest.raises(StoreError, match="newer version"):
            other.look()
    assert (other.batches, other.entries) == (reviews.batches, reviews.entries)


@pytest.mark.parametrize(
    ("given", "ask", "read"),
    [
        ({"label": "dark"}, "label", {"label": {"label": "dark"}}),
        ({"cannot_tell": "too dark"}, "label", {"cannot_tell": "too dark"}),
        ({"cannot_tell": ""}, "plan", {"cannot_tell": ""}),
        ({"wrong_subject": True}, "label", {"wrong_subject": True}),
        ({"agrees": False, "at": [0, 1]}, "explanation", {"agrees": False, "at": [0.0, 1.0]}),
    ],
)
def test_an_answer_is_read_as_it_was_meant(given, ask, read):
    assert read_answer(given, ask, TRUTH, REASONS) == read


@pytest.mark.parametrize(
    ("given", "ask", "told"),
    [
        (None, "label", "one of label"),
        ({}, "label", "one of label"),
        ({"label": "dark", "wrong_subject": True}, "label", "one of label"),
        ({"label": "drak"}, "label", "did you mean"),
        ({"label": "dark"}, "explanation", "one of agrees"),
        ({"label": "dark", "at": [0, 0]}, "label", "has no at"),
        ({"cannot_tell": "no idea"}, "label", "too dark"),
        ({"wrong_subject": False}, "label", "true or left out"),
        ({"agrees": "yes"}, "slice", "true or false"),
        ({"agrees": True, "at": [0.5]}, "plan", "place in the picture"),
        ({"agrees": True, "at": [0.5, float("nan")]}, "plan", "place in the picture"),
        ({"agrees": True, "at": [True, 0]}, "plan", "place in the picture"),
    ],
)
def test_what_is_no_answer_is_told(given, ask, told):
    with pytest.raises(ValueError, match=told):
        read_answer(given, ask, TRUTH, REASONS)


def test_one_sample_asked_in_one_way_is_one_item_whichever_queue_it_came_by():
    assert item(1).item == item(1, "uncertain", note="other").item
    assert len({item(1).item, item(2).item, item(1, ask="explanation").item, item(1, id="b").item}) == 4
    assert table_of([]).schema == schema()
    assert pa.types.is_list(schema().field("pictures").type)
