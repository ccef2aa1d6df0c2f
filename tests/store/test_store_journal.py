"""A journal is one line of events, whoever writes into it, wherever it lies, and whenever a writer dies."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.store.machines import machine
from totalml.errors import StoreError
from totalml.store import Store
from totalml.store.event import Draft, JournalMovedError
from totalml.store.journal import Journal

WRITERS = 8
FIRST = Draft("promoted", {"alias": "production", "why": "better | ü\n{}"}, "eve", "2026-11-27T04:00:00+00:00")
SECOND = replace(FIRST, kind="rolled back", who="ann")


@pytest.fixture(params=["folder", "file", "memory", pytest.param("s3", marks=pytest.mark.service)])
def place(request, tmp_path) -> str:
    """Where the events lie that count."""
    if request.param == "s3":
        return f"{request.getfixturevalue('bucket')}/team"
    if request.param == "memory":
        import fsspec

        fsspec.filesystem("memory").store.clear()
    return str(tmp_path / "there") if request.param == "folder" else f"{request.param}://{tmp_path}/there"


@pytest.fixture
def journal(place, tmp_path) -> Callable[[str], Journal]:
    """The journal as a machine sees it."""
    return lambda who="here": opened(place, tmp_path / who)


def opened(place: str, cache: Path) -> Journal:
    return machine(place, cache).journal("pints")


def test_an_event_lands_behind_the_last_one_that_was_seen(journal):
    here, there = journal("here"), journal("there")
    assert here.events() == []
    first = here.append(FIRST, expected=0)
    assert (first.sequence, first.previous, first.kind, first.facts) == (1, "", FIRST.kind, FIRST.facts)
    second = there.append(SECOND, expected=1)
    assert second.previous == first.digest
    assert here.events() == there.events() == journal("a third").events() == [first, second]


def test_who_comes_second_is_told_who_was_first_and_writes_nothing(journal):
    here, there = journal("here"), journal("there")
    here.events(), there.events()
    first = here.append(FIRST, expected=0)
    with pytest.raises(JournalMovedError, match="eve was first, at 2026-11-27T04:00:00") as told:
        there.append(SECOND, expected=0)
    assert told.value.first == first
    assert there.events() == [first]
    assert there.append(SECOND, expected=1).sequence == 2


def test_nothing_is_written_behind_an_event_that_is_not_there(journal):
    with pytest.raises(ValueError, match="has 0 events, not 3"):
        journal().append(FIRST, expected=3)
    assert journal().events() == []


def test_a_decision_is_made_again_on_what_came_first(journal):
    here, there, seen = journal("here"), journal("there"), []

    def decide(events):
        seen.append(len(events))
        if not events:
            there.append(SECOND, expected=0)
        return FIRST if len(events) < 2 else None

    assert here.append_decided(decide).sequence == 2
    assert here.append_decided(decide) is None
    assert seen == [0, 1, 2]
    assert [event.kind for event in here.events()] == [SECOND.kind, FIRST.kind]


def test_threads_of_many_machines_make_one_line(journal, place):
    each = 1 if place.startswith("s3") else 6

    def write(writer: int) -> None:
        mine = journal(f"machine {writer}")
        for number in range(each):
            draft = replace(FIRST, who=str(writer), facts={"number": number})
            mine.append_decided(lambda _, draft=draft: draft)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    require_one_line(journal("reader"), each)


def go_on(place: str, cache: Path, writer: int, last: int, environment: dict[str, str]) -> None:
    """Write the numbers up to `last` that this writer has not yet written."""
    os.environ.update(environment)  # a fork has that of the first test that needed one
    journal = opened(place, cache / f"machine {writer}")

    def decide(events):
        done = sum(event.who == str(writer) for event in events)
        return None if done == last else replace(FIRST, who=str(writer), facts={"number": done})

    while journal.append_decided(decide):
        pass


@pytest.mark.slow
def test_killed_writers_leave_nothing_half_written_and_go_on(place, tmp_path, journal):
    if place.startswith("memory"):
        pytest.skip("no other process sees this memory")
    each = 40 if place.startswith("/") else 10 if place.startswith("file") else 2
    context, generator = multiprocessing.get_context("forkserver"), random.Random(0)
    context.set_forkserver_preload([__name__, "s3fs"])  # once for all of them

    def start(writer: int) -> multiprocessing.process.BaseProcess:
        process = context.Process(target=go_on, args=(place, tmp_path, writer, each, {**os.environ}))
        process.start()
        return process

    writers = {writer: start(writer) for writer in range(WRITERS)}
    for _ in range(2 if place.startswith("s3") else 6):
        time.sleep(generator.uniform(0.02, 0.15))
        killed = generator.randrange(WRITERS)
        writers[killed].kill()
        writers[killed].join()
        writers[killed] = start(killed)
    for process in writers.values():
        process.join(240)
        assert process.exitcode == 0
    require_one_line(journal("reader"), each)


def require_one_line(journal: Journal, each: int) -> None:
    events = journal.events()
    assert [event.sequence for event in events] == [*range(1, WRITERS * each + 1)]
    assert [event.previous for event in events[1:]] == [event.digest for event in events[:-1]]
    for writer in range(WRITERS):
        assert [event.facts["number"] for event in events if event.who == str(writer)] == [*range(each)]


@pytest.fixture
def two(tmp_path) -> Store:
    """A store in whose journal are two events."""
    store = Store(tmp_path / "store")
    journal = store.journal("pints")
    journal.append(FIRST, expected=0)
    journal.append(SECOND, expected=1)
    return store


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut short": lambda data: data[:-9],
    "empty": lambda data: b"",
    "another value": lambda data: data.replace(b"eve", b"bob"),
    "another order": lambda data: json.dumps(json.loads(data)).encode(),
    "no event": lambda data: b"[1]",
    "deep": lambda data: b"[" * 100_000,
    "no text": lambda data: b"\xff",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_event_is_named_and_nothing_is_written_behind_it(two, damage):
    file = two.root / "journal" / "pints" / "00000001.json"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(StoreError, match=r"0000000[12]\.json is damaged"):
        two.journal("pints").append(FIRST, expected=2)
    assert not file.with_name("00000003.json").exists()


@pytest.mark.parametrize("gone", [1, 2])
def test_an_event_that_is_gone_is_named(two, gone):
    journal = two.journal("pints")
    journal.events()
    file = two.root / "journal" / "pints" / f"{gone:08}.json"
    file.unlink()
    if gone == 1:
        with pytest.raises(StoreError, match=r"00000001\.json is gone"):
            two.journal("pints").events()
    else:
        with pytest.raises(StoreError, match=r"00000002\.json is gone"):
            journal.events()


def test_who_follows_lists_nothing_until_something_is_new(journal, monkeypatch):
    here, there = journal("here"), journal("there")
    there.append(FIRST, expected=0)
    here.events()
    listed = []
    last = here._last
    monkeypatch.setattr(here, "_last", lambda: listed.append(True) or last())
    assert here.events() == here.events() == there.events()
    assert not listed
    second = there.append(SECOND, expected=1)
    assert here.events()[-1] == second


def test_that_the_last_event_elsewhere_is_gone_is_seen_after_some_looks(tmp_path, monkeypatch):
    monkeypatch.setattr("totalml.store.journal.LOOKS", 2)
    journal = opened(f"file://{tmp_path}/there", tmp_path / "here")
    journal.append(FIRST, expected=0)
    events = journal.events()
    (tmp_path / "there" / "journal" / "pints" / "00000001.json").unlink()
    assert journal.events() == journal.events() == events
    with pytest.raises(StoreError, match=r"00000001\.json is gone"):
        journal.events()


def test_copies_of_a_remote_journal_may_be_deleted_or_damaged(tmp_path):
    place = f"file://{tmp_path}/there"
    here = opened(place, tmp_path / "here")
    opened(place, tmp_path / "there").append(FIRST, expected=0)
    events = here.events()
    (copy,) = here.folder.iterdir()
    copy.write_bytes(b"damaged")
    assert opened(place, tmp_path / "here").events() == events
    copy.unlink()
    assert opened(place, tmp_path / "here").events() == events


def test_an_answer_that_was_lost_on_the_way_is_no_other_writer(tmp_path, monkeypatch):
    journal = opened(f"memory://{tmp_path}", tmp_path / "here")
    create = journal._remote.create
    monkeypatch.setattr(journal._remote, "create", lambda *given: create(*given) and False)
    assert journal.append(FIRST, expected=0).sequence == 1


def test_a_server_that_lets_two_writers_overwrite_each_other_is_refused(tmp_path, monkeypatch):
    journal = opened(f"memory://{tmp_path}", tmp_path / "here")
    monkeypatch.setattr(journal._remote, "create", lambda *given: True)
    with pytest.raises(StoreError, match="could be made twice: this server ignores If-None-Match"):
        journal.append(FIRST, expected=0)


def test_a_filesystem_that_cannot_tell_two_writers_apart_is_refused(tmp_path):
    journal = opened("dying://there", tmp_path / "here")
    with pytest.raises(StoreError, match=r"dying://there cannot tell which of two machines was first.*S3"):
        journal.append(FIRST, expected=0)


@pytest.mark.parametrize("number", [2.0**53, -(2.0**60), 2**53, float("nan"), float("inf")])
def test_a_number_that_nobody_could_read_again_is_not_written(tmp_path, number):
    journal = Journal(tmp_path, "pints")
    journal.append(FIRST, 0)
    with pytest.raises(StoreError, match="event 'promoted' of journal/pints is not written"):
        journal.append(replace(FIRST, facts={"values": [{"most": number}]}), 1)
    kept = [2.0**53 - 1, -(2**53) + 1, 0.5, 1e21, 1e300]
    journal.append(replace(FIRST, facts={"values": kept}), 1)
    assert Journal(tmp_path, "pints").events()[1].facts == {"values": kept}
    assert len(Journal(tmp_path, "pints").events()) == 2
