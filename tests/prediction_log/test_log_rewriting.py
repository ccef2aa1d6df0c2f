"""Whatever is rewritten, by whomever, and wherever it is killed: each row is there once, but for those deleted."""

from __future__ import annotations

import multiprocessing
import random
import threading
from contextlib import suppress
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from tests.prediction_log.logged import MODEL, NEAR, NOON, REPLICAS, Writer, files, inputs_there
from tests.store.machines import Killed, machine
from totalml.errors import StoreError
from totalml.prediction_log import LogReader
from totalml.segments import rewriting
from totalml.segments.rewriting import Rewriter
from totalml.store import Store


@pytest.fixture
def small_files(monkeypatch):
    monkeypatch.setattr(rewriting, "MOST_BYTES", 1500)


def hours(store: Store) -> list:
    return sorted({each.hour for each in Rewriter(store, MODEL).listing.look().counting})


def compact(store: Store) -> None:
    for hour in hours(store):
        Rewriter(store, MODEL).compact(hour)


def delete(store: Store, *inputs: str) -> None:
    rewriter = Rewriter(store, MODEL)
    for segment in rewriter.settled().counting:
        if {*inputs} & {*rewriting.rows_of(store, MODEL, segment, ["input"])["input"].to_pylist()}:
            rewriter.leave_out(segment, inputs)


def test_segments_of_an_hour_become_a_file_and_late_ones_another(store, writer):
    other = Writer(store, REPLICAS[1])
    for number in range(4):
        (writer if number % 2 else other).write([f"{number}a", f"{number}b"], NOON + timedelta(seconds=number))
    before = inputs_there(store)
    compact(store)
    compact(store)
    assert [path[-1] for path in files(store)] == ["120000-rewritten-000001-11111111.parquet"]
    assert inputs_there(store) == before
    writer.write(["late"])
    compact(store)
    assert len(files(store)) == 2
    writer.write(["later"])
    compact(store)
    assert sorted(path[-1][7:23] for path in files(store)) == ["rewritten-000001", "rewritten-000002"]
    assert inputs_there(store) == sorted([*before, "late", "later"])


@NEAR
def test_files_stay_small_and_releases_and_hours_apart(store, writer, small_files):
    for number in range(12):
        writer.write([f"{number}-{row}" for row in range(5)], NOON + timedelta(minutes=10 * number), number % 2)
    before = inputs_there(store)
    compact(store)
    assert len({path[-1][:2] + path[-1][-17:] for path in files(store)}) == 4
    assert 4 < len(files(store)) <= 12
    assert inputs_there(store) == before


def test_a_reader_goes_on_over_a_rewrite(store, writer):
    reader = LogReader(store, MODEL)
    writer.write(["a"])
    writer.write(["b"])
    assert len(reader.new(["input"])) == 2
    writer.write(["c"])
    compact(store)
    assert reader.new(["input"])["input"].to_pylist() == ["c"]
    delete(store, "a")
    writer.write(["d"])
    assert reader.new(["input"])["input"].to_pylist() == ["d"]
    assert sorted(LogReader(store, MODEL).new(["input"])["input"].to_pylist()) == ["b", "c", "d"]


class Dying(Store):
    """Ends the process after some steps; a step is a file that is written or removed."""

    steps = 0
    inner: Store

    def __init__(self, inner: Store, steps: int) -> None:
        vars(self).update(vars(inner))
        self.steps = steps

    def _step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise Killed

    def save_file(self, data, *parts):
        self._step()
        super().save_file(data, *parts)

    def remove_file(self, *parts):
        self._step()
        super().remove_file(*parts)


@pytest.mark.parametrize(
    ("place", "steps"),
    [*product(["folder", "memory"], range(7)), pytest.param("s3", 3, marks=pytest.mark.service)],
    indirect=["place"],
)
def test_killed_at_any_step_no_row_is_lost_or_doubled_and_the_next_completes_it(store, writer, steps):
    for name in "abcde":
        writer.write([name, f"{name}2"])
    before, reader = inputs_there(store), LogReader(store, MODEL)
    reader.new(["input"])
    with suppress(Killed):
        compact(Dying(store, steps))
    assert sorted(LogReader(store, MODEL).read(["input"])["input"].to_pylist()) == before
    assert len(reader.new(["input"])) == 0
    writer.write(["late"])
    Rewriter(store, MODEL).sweep()
    assert inputs_there(store) == sorted([*before, "late"])
    assert len(files(store)) == 2
    assert reader.new(["input"])["input"].to_pylist() == ["late"]


@NEAR
@pytest.mark.parametrize("steps", range(3))
def test_a_deletion_that_was_killed_is_completed_as_it_was_meant(store, writer, steps):
    writer.write(["a", "b", "a"])
    with suppress(Killed):
        delete(Dying(store, steps), "a")
    Rewriter(store, MODEL).sweep()
    assert inputs_there(store) == ["b"]


@pytest.mark.parametrize("seed", [0, 2, 6])
def test_any_sequence_of_writes_compactions_deletions_and_kills_keeps_the_rows(tmp_path, seed, small_files):
    store, chance = Store(tmp_path), random.Random(seed)
    writers, expected = [Writer(store, replica) for replica in REPLICAS], set()
    readers, given = [LogReader(store, MODEL) for _ in range(2)], [[], []]
    for number in range(60):
        act = chance.choice(["write"] * 4 + ["compact", "delete", "read"])
        broken = Dying(store, chance.randrange(8)) if chance.random() < 0.5 else store
        if act == "write":
            names = {f"{number}-{row}" for row in range(chance.randint(1, 4))}
            when = NOON + timedelta(hours=chance.randrange(40))
            chance.choice(writers).write(sorted(names), when, chance.randrange(2))
            expected |= names
        elif act == "compact":
            with suppress(Killed):
                compact(broken)
        elif act == "delete" and expected:
            gone = chance.sample(sorted(expected), min(3, len(expected)))
            with suppress(Killed):
                delete(broken, *gone)
            delete(store, *gone)
            expected -= {*gone}
        else:
            which = chance.randrange(2)
            given[which] += readers[which].new(["input"])["input"].to_pylist()
        assert sorted(LogReader(store, MODEL).read(["input"])["input"].to_pylist()) == sorted(expected)
    Rewriter(store, MODEL).sweep()
    assert inputs_there(store) == sorted(expected)
    for reader, some in zip(readers, given, strict=True):
        some += reader.new(["input"])["input"].to_pylist()
        assert len(some) == len({*some})
        assert {*some} >= expected


@NEAR
def test_a_file_that_a_slow_process_brings_back_counts_for_nobody_and_is_swept(store, writer):
    writer.write(["a"])
    writer.write(["b"])
    compact(store)
    (path,) = files(store)
    with store.open_file(*path) as file:
        old = file.read()
    delete(store, "a")
    store.save_file(old, *path)
    assert LogReader(store, MODEL).read(["input"])["input"].to_pylist() == ["b"]
    Rewriter(store, MODEL).sweep()
    assert inputs_there(store) == ["b"]


@NEAR
def test_a_damaged_segment_stops_its_hour_only_and_is_never_claimed(store, writer):
    writer.write(["a"])
    writer.write(["b"])
    store.save_file(b"damaged", *files(store)[0])
    with pytest.raises(StoreError, match="is damaged"):
        compact(store)
    assert Rewriter(store, MODEL).settled().replaced == []
    assert len(files(store)) == 2
    store.remove_file(*files(store)[0])
    compact(store)
    assert inputs_there(store) == ["b"]


def compact_again_and_again(place: str, cache: Path, times: int) -> None:
    store = machine(place, cache)
    for _ in range(times):
        compact(store)


@pytest.mark.slow
def test_processes_compact_at_once_while_others_write_and_read(place, tmp_path, store):
    in_a_folder = place.startswith("/")  # a server cannot tell threads, and no other process sees this memory
    start = multiprocessing.get_context("spawn").Process if in_a_folder else threading.Thread
    times = 3 if place.startswith("s3") else 6
    compactors = [
        start(target=compact_again_and_again, args=(place, tmp_path / str(number), times)) for number in range(2)
    ]
    reader, writer, given, written = LogReader(store, MODEL), Writer(store), [], []

    def write() -> None:
        written.extend([f"{len(written)}", f"{len(written) + 1}"])
        writer.write(written[-2:], NOON + timedelta(seconds=writer.written))

    for _ in range(4):
        write()
    for each in compactors:
        each.start()
    while any(each.is_alive() for each in compactors):
        if len(written) < 20 * times:
            write()
        given += reader.new(["input"])["input"].to_pylist()
        compactors[0].join(0.02)
    assert all(getattr(each, "exitcode", 0) == 0 for each in compactors)
    given += reader.new(["input"])["input"].to_pylist()
    assert sorted(given) == sorted(written) == inputs_there(store)
