"""Verdicts on a page that is killed, or on a full disk: none lost, none doubled, and whoever judges is told."""

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
from totalml.store.atomic import TEMPORARY

PEOPLE, EACH, KILLS = 12, 6, 2
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
        with httpx.Client(verify=False, headers=cookie | {"Accept": "application/json"}, timeout=LONGEST_S) as client:
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


@pytest.mark.service
def test_on_a_full_disk_who_judges_is_told_and_what_is_sent_again_is_kept_once(tmp_path: Path):
    store = Store(tmp_path / "store")
    reviews = Reviews(store, MODEL)
    reviews.queue(table_of(item(number) for number in range(10)), "numbers")
    token, process = reviews.invite("eve", 1), Process(tmp_path / "store", MODEL)
    process.start()
    try:
        _judge_on_a_disk_that_is_full_now_and_then(process, token)
    finally:
        process.kill()
    again = Reviews(store, MODEL)
    again.look()
    assert len(again.entries) == len(again.standing()) == 3
    assert not [*(tmp_path / "store").rglob(f"{TEMPORARY}*")]


def _judge_on_a_disk_that_is_full_now_and_then(process: Process, token: str) -> None:
    with httpx.Client(
        verify=False, base_url=process.url, headers={"Cookie": f"review={token}"}, timeout=LONGEST_S
    ) as client:
        for each in range(3):
            page = client.get("/").text
            said = dict(HIDDEN.findall(page[page.index("<article") :])) | {"label": "light"}
            for most_bytes in (0, 100):  # nothing, and half an event
                process.may_write(most_bytes)  # nor may it write what it has to say of that
                told = client.post("/verdicts", data=said)
                assert (told.status_code, "Nothing is lost: send it again" in told.text) == (503, True)
                assert client.get("/").status_code == 200  # the page itself goes on
            process.may_write(None)
            for _ in range(2):
                assert client.post("/verdicts", data=said).status_code in (200, 303)
            assert f"<b>{each + 1}</b> judged" in client.get("/").text
