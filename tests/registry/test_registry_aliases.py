"""Aliases keep every promotion, on one machine or several, and what an older version wrote down."""

import json
import multiprocessing
from dataclasses import asdict, replace

import pytest

from tests.store.machines import machine
from totalml.errors import StoreError
from totalml.registry import Aliases, Promotion, models
from totalml.store import Store
from totalml.store.event import Draft

FIRST = Promotion("2026-11-25T04:00:00+00:00", "production", "aaaaaaaa-00000001", 1, "blake3:1", "eve", "first")
SECOND = replace(FIRST, run_id="bbbbbbbb-00000001", weights="blake3:2", why="better | \u00fc\n{}", forced=("a gate",))
OLD_FIELDS = ("when", "alias", "run_id", "attempt", "weights", "who", "why")


def point(aliases: Aliases, promotion: Promotion) -> None:
    aliases.move(lambda _: promotion)


def append_many(store, who, together):
    together.wait(60)
    for attempt in range(40):
        point(Aliases(Store(store), "pints"), replace(FIRST, who=who, attempt=attempt))


def write_ledger(store, *promotions: Promotion, end: str = "\n"):
    """As version 0.1 wrote it."""
    lines = [json.dumps({name: asdict(each)[name] for name in OLD_FIELDS}) for each in promotions]
    file = store / "registry" / "pints.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + end)
    return file


def test_the_latest_promotion_stands_and_all_are_kept(tmp_path):
    aliases = Aliases(Store(tmp_path), "pints")
    assert aliases.standing("production") is None
    for each in (FIRST, SECOND, replace(SECOND, alias="staging"), FIRST):  # the last one is a rollback
        point(aliases, each)
    assert aliases.standing("production") == FIRST
    assert aliases.standing("staging") == replace(SECOND, alias="staging")
    assert aliases.history("production") == [FIRST, SECOND, FIRST]
    assert Aliases(Store(tmp_path), "clothing").history() == []
    assert models(Store(tmp_path)) == {"pints"}


def test_two_processes_lose_nothing(tmp_path):
    spawned = multiprocessing.get_context("spawn")
    together = spawned.Barrier(2)
    writers = [spawned.Process(target=append_many, args=(tmp_path, who, together)) for who in ("ann", "bob")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    history = Aliases(Store(tmp_path), "pints").history()
    for who in ("ann", "bob"):
        assert [each.attempt for each in history if each.who == who] == list(range(40))


def test_two_machines_on_one_store_have_one_production(tmp_path):
    here, there = (Aliases(machine(f"file://{tmp_path}/there", tmp_path / who), "pints") for who in ("here", "there"))
    point(here, FIRST)
    assert there.standing("production") == FIRST
    point(there, SECOND)
    assert here.standing("production") == SECOND


def test_who_decides_sees_what_another_one_did_meanwhile(tmp_path):
    here, there = (Aliases(Store(tmp_path), "pints") for _ in range(2))
    seen = []

    def decide(history):
        seen.append(history)
        if not history:
            point(there, FIRST)
        return SECOND

    assert here.move(decide) == SECOND
    assert seen == [[], [FIRST]]
    assert here.move(lambda _: None) is None
    assert here.history() == [FIRST, SECOND]


def test_an_old_ledger_counts_and_is_carried_over_once(tmp_path):
    aliases, file = Aliases(Store(tmp_path), "pints"), write_ledger(tmp_path, FIRST, SECOND)
    carried = [replace(each, how="carried over", forced=()) for each in (FIRST, SECOND)]
    assert aliases.history() == carried
    assert models(Store(tmp_path)) == {"pints"}
    assert not (tmp_path / "journal").exists()  # reading writes nothing
    point(aliases, FIRST)
    point(aliases, SECOND)
    file.unlink()
    assert Aliases(Store(tmp_path), "pints").history() == [*carried, FIRST, SECOND]


def test_a_line_without_its_end_was_never_promoted(tmp_path):
    write_ledger(tmp_path, FIRST, SECOND, end="")
    assert [each.run_id for each in Aliases(Store(tmp_path), "pints").history()] == [FIRST.run_id]


@pytest.mark.parametrize("line", [b"{}", b"[1]", b"\xff", b"[" * 100_000, b'{"when": 1}', b""])
def test_a_damaged_line_is_named_and_nothing_is_written_behind_it(tmp_path, line):
    file = write_ledger(tmp_path, FIRST)
    file.write_bytes(line + b"\n" + file.read_bytes())
    with pytest.raises(StoreError, match=r"line 1 of .*pints.jsonl is damaged"):
        point(Aliases(Store(tmp_path), "pints"), SECOND)
    assert not (tmp_path / "journal").exists()


def test_an_event_of_a_newer_version_asks_for_it(tmp_path):
    store = Store(tmp_path)
    newer = {"points": [{**FIRST.as_json(), "unheard": "of"}]}
    store.journal("pints").append(Draft("promoted", newer, "eve", FIRST.when), expected=0)
    with pytest.raises(StoreError, match=r"newer version.*update totalml"):
        Aliases(store, "pints").history()
