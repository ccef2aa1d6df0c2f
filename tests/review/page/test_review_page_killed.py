"""Four hundred verdicts of twenty people at once, on a page that is killed five times: none lost, none doubled."""

from __future__ import annotations

import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.review.asked import MODEL, item
from tests.review.page.page_process import LONGEST_S, Process
from totalml.review.item import table_of
from totalml.review.reviews import Reviews
from totalml.store import Store

PEOPLE, EACH, KILLS = 20, 20, 5
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]+)"')


@pytest.mark.slow
@pytest.mark.service
def test_of_a_page_that_is_killed_no_verdict_is_lost_or_doubled(tmp_path: Path):
    reviews = Reviews(Store(tmp_path / "store"), MODEL)
    reviews.queue(table_of(item(number) for number in range(2 * PEOPLE * EACH)), "numbers")
    tokens = [reviews.invite(f"reviewer-{number}", 1) for number in range(PEOPLE)]
    process, kept = Process(tmp_path / "store", MODEL), threading.Semaphore(0)
    process.start()

    def judge(number: int) -> None:
        cookie = {"Cookie": f"review={tokens[number]}"}
        with httpx.Client(headers=cookie | {"Accept": "application/json"}, timeout=LONGEST_S) as client:
            for each in range(EACH):
                page = process.ask(client, "GET", "/")
                form = dict(HIDDEN.findall(page[page.index("<article") :]))
                said = form | {"key": f"reviewer-{number}-{each:04}", "label": "light", "seconds": "3"}
                process.ask(client, "POST", "/verdicts", data=said)
                kept.release()

    with ThreadPoolExecutor(PEOPLE) as pool:
        judging = [pool.submit(judge, number) for number in range(PEOPLE)]
        for _ in range(KILLS):
            for _ in range(PEOPLE * EACH // (KILLS + 1)):
                assert kept.acquire(timeout=LONGEST_S)
            process.kill()
            process.start()
        for each in judging:
            each.result(2 * LONGEST_S)
    process.kill()

    again = Reviews(Store(tmp_path / "store"), MODEL)
    again.look()
    wanted = {f"reviewer-{number}-{each:04}" for number in range(PEOPLE) for each in range(EACH)}
    assert Counter(each.key for each in again.entries) == Counter(wanted)
    assert {each.key for each in again.standing()} == wanted  # nobody was asked one item twice
