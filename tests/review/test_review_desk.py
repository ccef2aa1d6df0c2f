"""Each item comes to as many people as it needs, to none of them twice, whatever they do and in whichever order."""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.review.asked import MODEL, asked, item
from totalml.errors import StoreError
from totalml.recipe.review import ReviewRecipe
from totalml.review.desk import Desk
from totalml.review.item import ALERT, GOLD, table_of
from totalml.review.reviews import Reviews
from totalml.review.said import Verdict
from totalml.store import Store

GOOD = {"label": {"label": "light"}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


STEPS = st.lists(
    st.tuples(st.sampled_from(["next", "give", "again", "back", "wait"]), st.integers(0, 3), st.integers(1, 4)),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(1, 3))
def test_no_item_comes_twice_to_one_or_to_more_people_than_it_needs(steps, overlap):
    clock = Clock()
    with TemporaryDirectory() as folder:
        desk = asked(Store(Path(folder)), 6, ReviewRecipe(overlap=overlap), clock=clock)
        stands: dict[str, set[str]] = defaultdict(set)  # item -> reviewers, by the plainest book-keeping
        order: dict[str, list[tuple[str, str]]] = defaultdict(list)  # reviewer -> (key, item) that stand
        held: dict[str, dict[str, float]] = defaultdict(dict)
        for number, (step, reviewer, count) in enumerate(steps):
            who = f"r{reviewer}"
            if step == "wait":
                clock.now += 400
            elif step == "next":
                for each in desk.next(who, count):
                    others = {w for w, h in held.items() if h.get(each.item, -1) > clock.now and w != who}
                    assert who not in stands[each.item]
                    assert len(stands[each.item] | others) < overlap
                    held[who][each.item] = clock.now + 600
            elif step in ("give", "again") and (found := desk.next(who)):
                for _ in range(1 + (step == "again")):  # sent twice, it is said once
                    desk.give(who, f"key-{number:05}", found[0], GOOD)
                stands[found[0].item].add(who)
                order[who].append((f"key-{number:05}", found[0].item))
                held[who].pop(found[0].item, None)
            elif step == "back":
                taken = desk.take_back(who, f"back-{number:05}")
                assert (taken.item if taken else None) == (order[who][-1][1] if order[who] else None)
                if taken:
                    order[who].pop()
                    stands[taken.item].discard(who)
                    held[who][taken.item] = clock.now + 600
        # What another service makes of the journal is the same.
        other = Desk(Reviews(desk.reviews._store, MODEL), desk.settings)
        for who in order:
            assert other.standing(who) == desk.standing(who)
            assert other.standing(who).judged == len(order[who])
        assert Counter(each.item for each in other.reviews.standing()) == Counter(
            {name: len(people) for name, people in stands.items() if people}
        )


def test_what_many_say_at_once_is_all_kept_and_in_fewer_events_than_verdicts(store):
    desk = asked(store, 40)

    def judge(number: int) -> None:
        who = f"reviewer-{number}"
        for each in desk.next(who, 5):
            desk.give(who, f"{who}-{each.item}", each, GOOD)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(judge, range(8)))
    assert len(desk.reviews.standing()) == 40
    assert len({each.item for each in desk.reviews.standing()}) == 40
    assert desk.next("somebody else") == []


def test_gold_comes_to_everybody_and_what_a_monitor_asks_first(store):
    desk = asked(store, 3)
    desk.reviews.queue(table_of([item(7, GOLD), item(8, ALERT)]), "an alert")
    desk.look()
    assert desk.next("eve")[0].request_id == "order-8"
    for who in ("eve", "bob"):
        found = desk.next(who, 9)
        for each in found:
            desk.give(who, f"{who}-{each.item}", each, GOOD)
        assert "order-7" in {each.request_id for each in found}
    assert [each.request_id for each in desk.next("new", 9)] == ["order-7"]


def test_what_a_page_has_already_is_not_given_again(store):
    desk = asked(store, 4)
    first = desk.next("eve", 2)
    assert [each.item for each in desk.next("eve", 2)] == [each.item for each in first]
    more = desk.next("eve", 9, have=[each.item for each in first])
    assert len(more) == 2
    assert {each.item for each in first}.isdisjoint(each.item for each in more)


def test_a_verdict_that_cannot_be_kept_is_told_to_everybody_who_waits(store, monkeypatch):
    desk = asked(store, 2)
    one = desk.next("eve")[0]

    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(desk.reviews._journal, "append", full)
    with pytest.raises(StoreError, match="full"):
        desk.give("eve", "key-00001", one, GOOD)
    monkeypatch.undo()
    desk.give("eve", "key-00001", one, GOOD)
    assert [each.key for each in desk.reviews.standing()] == ["key-00001"]


def test_a_key_of_another_reviewer_says_nothing_for_this_one(store):
    desk = asked(store, 2)
    one, two = desk.next("eve", 2)
    desk.give("eve", "key-00001", one, GOOD)
    with pytest.raises(KeyError):
        desk.give("bob", "key-00001", two, GOOD)
    assert [(each.who, each.item) for each in desk.reviews.standing()] == [("eve", one.item)]


def test_a_damaged_batch_keeps_nobody_from_judging_the_others(store):
    desk = asked(store, 1)
    batch = desk.reviews.queue(table_of([item(7)]), "numbers")
    (file,) = store.root.rglob(f"{batch}.parquet")
    whole = file.read_bytes()
    file.write_bytes(whole[:-9])
    desk.give("eve", "key-00001", desk.next("eve")[0], GOOD)
    assert "restore it from a backup" in desk.unread[batch]
    other = Reviews(store, MODEL)
    desk.reviews.say([Verdict("key-00002", item(7).item, "bob", "2026-11-28T12:00:00+00:00", GOOD)])
    file.write_bytes(whole)
    desk.look()
    assert not desk.unread
    assert (desk.standing("bob").judged, desk.standing("eve").waiting) == (1, 0)
    file.unlink()  # the other mend
    other.look()
    assert len(other.items(batch)) == 0
    assert Desk(other, desk.settings).standing("eve").judged == 1


def test_a_page_that_is_loaded_again_and_again_holds_one_lease_which_ends_after_the_last(store):
    clock = Clock()
    desk = asked(store, 1, clock=clock)
    for _ in range(500):
        clock.now += 1
        desk.next("eve")
    assert len(desk._ends) == 1
    clock.now = 500 + 599
    assert desk.next("bob") == []
    clock.now = 500 + 600
    assert [each.item for each in desk.next("bob")] == [item(0).item]
