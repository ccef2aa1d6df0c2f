"""Segments of labels become few files: none is lost, doubled or brought back, whoever is killed at it, and wherever."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from tests.labels.test_labels import BOTH, CLASS, PRICE, START, labels, said
from tests.prediction_log.test_log_rewriting import Dying
from tests.store.machines import Killed
from totalml.labels import Labels
from totalml.labels.labels import Segments
from totalml.labels.removal import remove_labels
from totalml.prediction_log.housekeeping import compact
from totalml.segments.rewriting import Rewriter
from totalml.segments.segment import LABELS
from totalml.store import Store

LATER = datetime(2026, 11, 28, tzinfo=UTC)
MODEL = "pints"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def save(store, *requests, truth=CLASS, label="dark", after_s=0, source=None):
    Segments(store, MODEL, source).save(labels(truth, *((each, None, label) for each in requests), after_s=after_s))


def kept(store, truth=CLASS):
    return sorted(request for request, _ in said(Labels(store, MODEL, truth).read()))


def files(store):
    return sorted(store.root.glob(f"labels/{MODEL}/*/*.parquet"))


def test_segments_of_an_hour_become_one_file_for_each_kind(store):
    for second in range(5):
        save(store, f"r{second}", after_s=second)
        save(store, f"p{second}", truth=PRICE, label=3, after_s=second)
    save(store, "next", after_s=3600)
    assert compact(store, MODEL, START + timedelta(minutes=65)).segments == 0  # some may still come
    assert compact(store, MODEL, LATER).segments == 10
    assert len(files(store)) == 3
    assert kept(store) == ["next", "r0", "r1", "r2", "r3", "r4"]
    assert {*Labels(store, MODEL, BOTH).read()["request_id"].to_pylist()} == {f"p{number}" for number in range(5)}
    save(store, "late", after_s=9)
    assert compact(store, MODEL, LATER).segments == 0  # alone, it stays as it is
    assert "late" in kept(store)


def test_a_reader_is_given_nothing_twice_and_what_came_in_between(store):
    reader = Labels(store, MODEL, CLASS)
    save(store, "a")
    assert {*said(reader.new())} == {("a", None)}
    save(store, "b", after_s=1)
    compact(store, MODEL, LATER)
    assert {*said(reader.new())} == {("b", None)}
    assert len(reader.new()) == 0
    assert {*said(reader.read())} == {("a", None), ("b", None)}


def test_a_table_that_was_kept_is_known_by_its_source_wherever_it_lies(store):
    save(store, "a", source="4f1c")
    save(store, "b")
    assert Labels(store, MODEL, CLASS).holds("4f1c")
    compact(store, MODEL, LATER)
    assert Labels(store, MODEL, CLASS).holds("4f1c")
    assert not Labels(store, MODEL, CLASS).holds("4f1d")


def test_segments_that_an_earlier_version_wrote_are_read_put_together_and_deleted(store):
    for second in range(2):
        save(store, f"r{second}", after_s=second)
    for file in files(store):
        file.rename(file.with_name(f"{file.name.rpartition('-')[0]}.parquet"))
    assert kept(store) == ["r0", "r1"]
    assert compact(store, MODEL, LATER).segments == 2
    assert remove_labels(store, MODEL, ["r0"]) == 1
    assert kept(store) == ["r1"]


@pytest.mark.parametrize("steps", range(6))
def test_killed_at_any_step_no_label_is_lost_and_the_next_completes_it(store, steps):
    reader = Labels(store, MODEL, CLASS)
    for second in range(4):
        save(store, f"r{second}", after_s=second)
    assert len(reader.new()) == 4
    with suppress(Killed):
        Rewriter(Dying(store, steps), MODEL, LABELS).compact(hour_of(store))
    assert kept(store) == ["r0", "r1", "r2", "r3"]
    assert len(reader.new()) == 0
    compact(store, MODEL, LATER)
    assert kept(store) == ["r0", "r1", "r2", "r3"]
    assert len(files(store)) == 1


def hour_of(store):
    return Rewriter(store, MODEL, LABELS).settled().counting[0].hour


@pytest.mark.parametrize("steps", range(4))
def test_a_deletion_reaches_what_was_put_together_and_goes_on_where_it_was_killed(store, steps):
    for second in range(3):
        save(store, "gone", f"r{second}", after_s=second)
    compact(store, MODEL, LATER)
    save(store, "gone", "late", after_s=9)
    with suppress(Killed):
        remove_labels(Dying(store, steps), MODEL, ["gone"])
    remove_labels(store, MODEL, ["gone"])
    assert kept(store) == ["late", "r0", "r1", "r2"]
    assert all("gone" not in pa.parquet.read_table(file)["request_id"].to_pylist() for file in files(store))
    assert remove_labels(store, MODEL, ["gone"]) == 0


def test_of_two_that_compact_at_once_one_does(store, monkeypatch):
    """The second one begins where the first has read what it is about to write."""
    for second in range(3):
        save(store, f"r{second}", after_s=second)
    first, second = (Rewriter(store, MODEL, LABELS) for _ in range(2))
    hour, real, done = hour_of(store), first._rewrite, []

    def overtaken(*given):
        if not done:
            done.append(second.compact(hour))
        return real(*given)

    monkeypatch.setattr(first, "_rewrite", overtaken)
    assert (first.compact(hour), done) == (0, [3])
    assert kept(store) == ["r0", "r1", "r2"]
    assert len(files(store)) == 1


def test_what_is_deleted_while_another_compacts_does_not_come_back(store, monkeypatch):
    for second in range(2):
        save(store, "gone", f"r{second}", after_s=second)
    rewriter = Rewriter(store, MODEL, LABELS)
    real, done = rewriter._rewrite, []

    def overtaken(*given):
        if not done:
            done.append(remove_labels(store, MODEL, ["gone"]))
        return real(*given)

    monkeypatch.setattr(rewriter, "_rewrite", overtaken)
    rewriter.compact(hour_of(store))
    assert (kept(store), done) == (["r0", "r1"], [2])


@pytest.mark.parametrize("seed", range(4))
def test_any_sequence_of_writes_compactions_deletions_and_kills_keeps_the_labels(store, seed):
    chance, expected, given = random.Random(seed), set(), []
    reader = Labels(store, MODEL, CLASS)
    for number in range(25):
        act = chance.choice(["write", "write", "compact", "delete", "read"])
        broken = Dying(store, chance.randrange(6)) if chance.random() < 0.5 else store
        if act == "write":
            save(store, f"r{number}", after_s=chance.randrange(7200))
            expected.add(f"r{number}")
        elif act == "compact":
            with suppress(Killed):
                compact(broken, MODEL, LATER)
        elif act == "delete" and expected:
            gone = chance.sample(sorted(expected), 1)
            with suppress(Killed):
                remove_labels(broken, MODEL, gone)
            remove_labels(store, MODEL, gone)
            expected -= {*gone}
        else:
            given += [request for request, _ in said(reader.new())]
        assert kept(store) == sorted(expected)
    given += [request for request, _ in said(reader.new())]
    assert len(given) == len({*given})
    assert {*given} >= expected
