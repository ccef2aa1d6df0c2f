"""A reader gives each row once, of whatever release and wherever it lies."""

from datetime import timedelta

import pyarrow as pa
import pytest

from tests.prediction_log.logged import MODEL, NEAR, NOON, RELEASES, REPLICAS, Writer
from totalml.errors import StoreError
from totalml.prediction_log import LogReader
from totalml.registry import models
from totalml.store import Store


def test_a_log_that_is_not_there_has_no_rows(store):
    reader = LogReader(store, MODEL)
    assert reader.new(["input", "x"]).to_pydict() == {"input": [], "x": []}
    assert len(reader.read()) == 0


def test_new_gives_what_was_written_since(store, writer):
    reader, other = LogReader(store, MODEL), Writer(store, REPLICAS[1])
    writer.write(["a", "b"])
    assert reader.new(["input"])["input"].to_pylist() == ["a", "b"]
    other.write(["c"], NOON - timedelta(days=3))
    writer.write(["d"], NOON + timedelta(days=1))
    assert sorted(reader.new(["input"])["input"].to_pylist()) == ["c", "d"]
    assert len(reader.new(["input"])) == 0
    assert sorted(reader.read(["input"])["input"].to_pylist()) == ["a", "b", "c", "d"]


def test_a_file_that_a_growing_folder_did_not_list_is_read_when_it_does(store, writer, monkeypatch):
    """A listing may give what was written last and not what was written before it, on ext4 nearly each time."""
    reader, names, listed = LogReader(store, MODEL), Store.names, []

    def growing(store: Store, *parts: str) -> list[str]:
        found = names(store, *parts)
        if len(parts) == 3:
            listed.append(found)
            return [name for name in found if "-000002-" not in name] if len(listed) == 1 else found
        return found

    for text in ("a", "b", "c"):
        writer.write([text])
    monkeypatch.setattr(Store, "names", growing)
    assert sorted(reader.new(["input"])["input"].to_pylist()) == ["a", "b", "c"]
    # What is written while it is listed again waits for what may have been written before it.
    monkeypatch.setattr(Store, "names", names)
    look = reader._listing.look

    def written_meanwhile(*days: str) -> object:
        found = look(*days)
        if writer.written == 4:
            writer.write(["e"])
        return found

    writer.write(["d"])
    monkeypatch.setattr(reader._listing, "look", written_meanwhile)
    assert reader.new(["input"])["input"].to_pylist() == ["d"]
    assert reader.new(["input"])["input"].to_pylist() == ["e"]


@NEAR
def test_columns_of_several_releases_are_null_where_a_release_has_none(store, writer):
    writer.write(["a"], release=0)
    writer.write(["b"], release=1)
    table = LogReader(store, MODEL).read(["input", "answer:1", "embedding", "nowhere"]).sort_by("input")
    assert table.to_pylist() == [
        {"input": "a", "answer:1": None, "embedding": [0.5] * 2, "nowhere": None},
        {"input": "b", "answer:1": 0, "embedding": [0.5] * 3, "nowhere": None},
    ]
    assert {*LogReader(store, MODEL).read().column_names} >= {"answer:0", "answer:1", "segment", "replica"}


@NEAR
def test_the_columns_that_it_reads_for_itself_may_be_asked_for_too(store, writer):
    writer.write(["a"])
    for table in (LogReader(store, MODEL).read(["time", "input"]), LogReader(store, MODEL).new(["time", "input"])):
        assert table.to_pylist() == [{"time": NOON, "input": "a"}]
    (row,) = LogReader(store, MODEL).new(["segment", "replica"]).to_pylist()
    assert row == {"segment": 1, "replica": REPLICAS[0]}


@NEAR
def test_a_time_bounds_the_rows(store, writer):
    for hours in range(-60, 60, 12):
        writer.write([f"{hours:+}"], NOON + timedelta(hours=hours))
    bounded = LogReader(store, MODEL, since=NOON)
    assert sorted(bounded.new(["input"])["input"].to_pylist()) == ["+0", "+12", "+24", "+36", "+48"]
    until = bounded.read(["input"], since=NOON - timedelta(days=9), until=NOON + timedelta(hours=24))
    assert sorted(until["input"].to_pylist()) == ["+0", "+12"]


@NEAR
def test_other_files_in_the_folder_are_none_of_the_log(store, writer):
    writer.write(["a"])
    for name in ("notes.txt", "990000-0000000a-000001-11111111.parquet"):
        store.save_file(b"no rows", "predictions", MODEL, "2026-11-27", name)
        store.save_file(b"no rows", "predictions", MODEL, "2026-99-27", name)
    assert LogReader(store, MODEL).read(["input"])["input"].to_pylist() == ["a"]


def test_a_damaged_file_is_named_and_what_it_hides_is_given_once_it_is_mended(store, writer):
    writer.write(["a"])
    writer.write(["b"])
    path = ("predictions", MODEL, "2026-11-27", f"120000-{REPLICAS[0]}-000002-{RELEASES[0][7:15]}.parquet")
    with store.open_file(*path) as file:
        whole = file.read()
    store.save_file(whole[:-20], *path)
    reader = LogReader(store, MODEL)
    with pytest.raises(StoreError, match=r"120000-0000000a-000002-11111111.parquet is damaged"):
        reader.new(["input"])
    store.save_file(whole, *path)
    assert sorted(reader.new(["input"])["input"].to_pylist()) == ["a", "b"]


@NEAR
def test_columns_that_cannot_be_joined_are_told(store, writer, monkeypatch):
    writer.write(["a"])
    monkeypatch.setattr(
        "tests.prediction_log.logged.rows",
        lambda *_: pa.table({"input": pa.array([{"x": 1}]), "time": pa.array([NOON], pa.timestamp("us", "UTC"))}),
    )
    writer.write(["b"])
    with pytest.raises(StoreError, match=r"do not fit together .*input.*read fewer columns"):
        LogReader(store, MODEL).read()


@NEAR
def test_the_journal_of_a_log_is_that_of_no_model(store):
    from totalml.segments.rewrites import Rewrites
    from totalml.segments.segment import Segment

    Rewrites(store, MODEL).claim([Segment.new(NOON, REPLICAS[0], 1, RELEASES[0])], [])
    assert models(store) == set()
