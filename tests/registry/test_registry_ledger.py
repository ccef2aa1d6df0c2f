"""A ledger keeps every promotion, whoever writes at the same time and whenever a process dies."""

import multiprocessing
import threading
from dataclasses import replace

import pytest

from totalml.errors import StoreError
from totalml.registry import Ledger, Promotion
from totalml.store.locks import locked

FIRST = Promotion("2026-11-25T04:00:00+00:00", "production", "aaaaaaaa-00000001", 1, "blake3:1", "eve", "first")
SECOND = replace(FIRST, run_id="bbbbbbbb-00000001", weights="blake3:2", why="better | \u00fc\n{}")


def append_many(store, who, together):
    together.wait(60)
    for attempt in range(40):
        Ledger(store, "pints").append(replace(FIRST, who=who, attempt=attempt))


def test_the_latest_promotion_stands_and_all_are_kept(tmp_path):
    ledger = Ledger(tmp_path, "pints")
    assert ledger.standing("production") is None
    for each in (FIRST, SECOND, replace(SECOND, alias="staging"), FIRST):  # the last one is a rollback
        ledger.append(each)
    assert ledger.standing("production") == FIRST
    assert ledger.standing("staging") == replace(SECOND, alias="staging")
    assert ledger.history("production") == [FIRST, SECOND, FIRST]
    assert Ledger(tmp_path, "clothing").history() == []


def test_two_processes_lose_nothing(tmp_path):
    spawned = multiprocessing.get_context("spawn")
    together = spawned.Barrier(2)
    writers = [spawned.Process(target=append_many, args=(tmp_path, who, together)) for who in ("ann", "bob")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    history = Ledger(tmp_path, "pints").history()
    for who in ("ann", "bob"):
        assert [each.attempt for each in history if each.who == who] == list(range(40))


def test_a_writer_waits_for_another_one(tmp_path):
    ledger = Ledger(tmp_path, "pints")
    writer = threading.Thread(target=ledger.append, args=(FIRST,))
    with locked(tmp_path / "locks" / "registry-pints.lock"):
        writer.start()
        writer.join(0.3)
        assert ledger.history() == []
    writer.join(60)
    assert ledger.history() == [FIRST]


def test_a_line_without_its_end_was_never_promoted_and_gives_way(tmp_path):
    ledger = Ledger(tmp_path, "pints")
    ledger.append(FIRST)
    ledger.append(SECOND)
    whole = ledger.file.read_bytes()
    for length in range(len(whole.splitlines()[0]) + 1, len(whole)):
        ledger.file.write_bytes(whole[:length])
        assert ledger.standing("production") == FIRST
    ledger.append(SECOND)
    assert ledger.history() == [FIRST, SECOND]


@pytest.mark.parametrize("line", [b"{}", b"[1]", b"\xff", b"[" * 100_000, b'{"when": 1}', b""])
def test_a_damaged_line_is_named_and_nothing_is_written_behind_it(tmp_path, line):
    ledger = Ledger(tmp_path, "pints")
    ledger.append(FIRST)
    ledger.file.write_bytes(line + b"\n" + ledger.file.read_bytes())
    with pytest.raises(StoreError, match=r"line 1 of .*pints.jsonl is damaged"):
        ledger.append(SECOND)
    assert b"bbbbbbbb" not in ledger.file.read_bytes()
