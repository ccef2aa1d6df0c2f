"""A thousand verdicts of fifty people at once, of a service that is killed five times: none lost, none doubled."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.review.asked import MODEL, item
from tests.review.desk_process import Service
from totalml.review.item import table_of
from totalml.review.reviews import Reviews
from totalml.store import Store

PEOPLE, EACH, KILLS = 50, 20, 5
GOOD = {"label": {"label": "light"}}


@pytest.mark.slow
@pytest.mark.service
def test_of_a_service_that_is_killed_no_verdict_is_lost_or_doubled(tmp_path: Path):
    store = Store(tmp_path / "store")
    Reviews(store, MODEL).queue(table_of(item(number) for number in range(2 * PEOPLE * EACH)), "numbers")
    service, kept = Service(tmp_path / "store", MODEL), threading.Semaphore(0)
    service.start()

    def judge(number: int) -> list[str]:
        who, keys = f"reviewer-{number}", []
        for each in range(EACH):
            (about,) = service.ask(next=who)
            keys += service.ask(give=who, key=f"{who}-{each:04}", item=about, answer=GOOD)
            kept.release()
        return keys

    with ThreadPoolExecutor(PEOPLE) as pool:
        judging = [pool.submit(judge, number) for number in range(PEOPLE)]
        for _ in range(KILLS):
            for _ in range(PEOPLE * EACH // (KILLS + 1)):
                assert kept.acquire(timeout=60)
            service.kill()
            service.start()
        told = [key for each in judging for key in each.result(120)]
    service.kill()

    reviews = Reviews(store, MODEL)
    reviews.look()
    wanted = {f"reviewer-{number}-{each:04}" for number in range(PEOPLE) for each in range(EACH)}
    assert Counter(each.key for each in reviews.entries) == Counter(wanted) == Counter(told)
    assert {each.key for each in reviews.standing()} == wanted  # nobody was asked one item twice
