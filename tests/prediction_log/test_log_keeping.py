"""What is deleted leaves no trace, what is old goes, and what is over becomes few files, by hand or by the service."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import timedelta
from io import BytesIO
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.prediction_log.logged import MODEL, NEAR, NOON, Writer, files, inputs_there
from tests.prediction_log.test_log_rewriting import Dying
from tests.serving.serving import TABLE, picture, release, serving
from tests.serving.test_serving_swap import until
from tests.store.machines import Killed
from totalml.cli import main
from totalml.data.snapshot import parquet_bytes
from totalml.identity import PREFIX
from totalml.prediction_log import LogReader, housekeeping
from totalml.prediction_log.deletion import Deleted, Sought, delete
from totalml.prediction_log.housekeeping import Housekeeping, compact, remove_older
from totalml.prediction_log.sampled_pictures import PICTURES, is_sampled, save_picture
from totalml.prediction_log.settings import LogSettings
from totalml.segments.rewriting import Rewriter
from totalml.store import Store

GONE, STAYS = f"{PREFIX}{'a' * 64}", f"{PREFIX}{'b' * 64}"


def all_bytes(store: Store, *parts: str) -> str:
    """All that the store says, tables as their values, with the names of all files."""
    told = ""
    for name in store.names(*parts):
        path = (*parts, name)
        is_file = name.endswith((".json", ".parquet")) or len(name) == 64
        if not is_file:
            told += all_bytes(store, *path)
            continue
        with store.open_file(*path) as file:
            data = file.read()
        told += name + (str(pq.read_table(BytesIO(data)).to_pydict()) if name.endswith(".parquet") else repr(data))
    return told


def fill(store: Store) -> None:
    writer = Writer(store)
    for number, inputs in enumerate([[GONE, STAYS], [STAYS], [STAYS, GONE]]):
        writer.write(inputs, NOON + timedelta(hours=number // 2))
    for hashed in (GONE, STAYS):
        save_picture(store, MODEL, NOON, hashed, f"picture {hashed}".encode())
    labels = pa.table({"request_id": [f"request {GONE}", f"request {STAYS}"], "label:wrong": [True, False]})
    store.save_file(parquet_bytes(labels), "labels", MODEL, "2026-11-27", "120000-eve-000001.parquet")


@pytest.mark.parametrize(
    ("place", "compacted"),
    [*product(["folder", "memory"], [False, True]), pytest.param("s3", True, marks=pytest.mark.service)],
    indirect=["place"],
)
def test_a_deletion_leaves_no_trace(store, compacted):
    fill(store)
    if compacted:
        compact(store, MODEL, NOON + timedelta(days=1))
    roots = [(PICTURES, MODEL), ("predictions", MODEL), ("labels", MODEL), ("journal", f"{MODEL}.log")]
    said = [all_bytes(store, *root) for root in roots]
    assert [GONE[7:] in each for each in said[:3]] == [True] * 3
    assert delete(store, MODEL, Sought(GONE)) == Deleted(rows=2, pictures=1, labels=1)
    assert delete(store, MODEL, Sought(GONE)) == Deleted(0, 0, 0)
    said = [all_bytes(store, *root) for root in roots]
    assert all(GONE[7:] not in each for each in said)
    assert all(STAYS[7:] in each for each in said[:3])
    assert inputs_there(store) == [STAYS] * 3


def test_a_deletion_that_was_killed_goes_on_when_given_again(tmp_path):
    for steps in range(12):
        store = Store(tmp_path / str(steps))
        fill(store)
        with suppress(Killed):
            delete(Dying(store, steps), MODEL, Sought(GONE))
        delete(store, MODEL, Sought(GONE))
        assert inputs_there(store) == [STAYS] * 3
        assert GONE[7:] not in "".join(all_bytes(store, root) for root in store.names() if root != "locks")


@NEAR
def test_hours_are_compacted_once_they_are_over(store, writer):
    for minute in (0, 1, 60, 61):
        writer.write([str(minute)], NOON + timedelta(minutes=minute))
    assert compact(store, MODEL, NOON + timedelta(minutes=69)).segments == 0
    assert compact(store, MODEL, NOON + timedelta(minutes=70)).segments == 2
    assert compact(store, MODEL, NOON + timedelta(minutes=70)).segments == 0
    assert compact(store, MODEL, NOON + timedelta(minutes=130)).segments == 2
    assert inputs_there(store) == ["0", "1", "60", "61"]


def test_days_that_ended_longer_ago_are_removed(store, writer):
    for day in range(5):
        writer.write([str(day)], NOON + timedelta(days=day))
        save_picture(store, MODEL, NOON + timedelta(days=day), f"{PREFIX}{day:064}", b"picture")
    now = NOON + timedelta(days=4)
    assert remove_older(store, MODEL, 2, now) == ["2026-11-27", "2026-11-28"]
    assert remove_older(store, MODEL, 2, now) == []
    assert inputs_there(store) == ["2", "3", "4"]
    assert len(remove_older(store, MODEL, 1, now, PICTURES)) == 3


def test_of_an_old_day_that_is_a_link_only_the_link_goes(tmp_path):
    store, elsewhere = Store(tmp_path / "store"), tmp_path / "archive"
    Writer(store).write(["kept"])
    day = store.root / "predictions" / MODEL / f"{NOON:%Y-%m-%d}"
    day.rename(elsewhere)
    day.symlink_to(elsewhere)
    assert remove_older(store, MODEL, 2, NOON + timedelta(days=9)) == [day.name]
    assert not day.is_symlink()
    assert len([*elsewhere.iterdir()]) == 1


def test_a_share_of_the_requests_is_sampled():
    ids = [f"request {number}" for number in range(4000)]
    few, more = ({each for each in ids if is_sampled(each, share)} for share in (0.1, 0.3))
    assert few <= more
    assert len(few) == pytest.approx(400, abs=80)
    assert [sum(is_sampled(each, share) for each in ids) for share in (0.0, 1.0)] == [0, 4000]


@NEAR
def test_housekeeping_goes_on_past_a_damaged_hour_and_tells_it_once(tmp_path, writer, store, capfd):
    for minute in (0, 1, 60, 61):
        writer.write([str(minute)], NOON - timedelta(days=300) + timedelta(minutes=minute))
    broken = files(store)[0]
    store.save_file(b"damaged", *broken)
    keeper = Housekeeping(store, MODEL, LogSettings())
    keeper.round()
    keeper.round()
    assert len(files(store)) == 3
    assert "is damaged" in keeper.failed
    assert capfd.readouterr().err.count("is damaged") == 1
    store.remove_file(*broken)
    keeper.round()
    assert keeper.failed == ""
    Housekeeping(store, MODEL, LogSettings(days=30)).round()
    assert files(store) == []


def test_a_service_keeps_house_and_says_what_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(housekeeping, "compact", lambda *_: 1 / 0)
    keeper = Housekeeping(Store(tmp_path), MODEL, LogSettings(), (0.0, 0.0), (0.01, 0.01))
    with serving(tmp_path, logs=True, housekeeping=keeper) as running:
        until(lambda: "totalml_log_housekeeping_failed 1.0" in running.client.get("/metrics").text)
        assert running.ask(picture()).status_code == 200


def test_sampled_pictures_are_kept_as_they_were_sent(tmp_path):
    with serving(tmp_path, logs=True, pictures=0.5) as running:
        for number in range(20):
            running.ask(picture(number), headers={"X-Request-ID": str(number)})
    store = Store(tmp_path)
    (day,) = store.names(PICTURES, MODEL)
    kept = {(tmp_path / PICTURES / MODEL / day / name).read_bytes() for name in store.names(PICTURES, MODEL, day)}
    assert kept == {picture(number) for number in range(20) if is_sampled(str(number), 0.5)}


def test_pictures_that_wait_are_bounded_in_bytes(tmp_path, monkeypatch):
    from totalml.serving import prediction_log

    monkeypatch.setattr(prediction_log, "MOST_BYTES", 100)
    with serving(tmp_path, logs=True) as running:
        assert running.ask(picture()).status_code == 200
    assert (running.service.log.written, running.service.log.dropped) == (0, 1)


@pytest.fixture
def tell(tmp_path, monkeypatch, capsys):
    """`totalml log` and what it says."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(__file__.rpartition("/tests/")[0])

    def tell(*words: str) -> tuple[int, str]:
        code = main(["log", *words, f"--store={tmp_path}"])
        said = capsys.readouterr()
        return code, said.out + said.err

    return tell


def test_the_command_tells_what_is_there_compacts_and_removes(tmp_path, tell):
    writer = Writer(Store(tmp_path))
    for number in range(4):
        writer.write(["x", "y"], NOON - timedelta(days=400 + number // 2), number % 2)
    code, said = tell(MODEL)
    assert code == 0
    *counts, answers = said.splitlines()[1:]
    assert [line.split()[:3] for line in counts] == [
        ["2025-10-22", "4", "2"],
        ["2025-10-23", "4", "2"],
        ["all", "8", "4"],
    ]
    assert "11111111 22222222" in said
    folder = answers.removeprefix("each answer is a row of the Parquet files in ").partition(";")[0]
    assert sum(pq.read_metadata(file).num_rows for file in Path(folder).rglob("*.parquet")) == 8
    assert tell(MODEL, "--compact") == (0, "0 segments of hours that are over were put together\n")
    writer.write(["z"], NOON - timedelta(days=400))
    assert tell(MODEL, "--compact") == (0, "2 segments of hours that are over were put together\n")
    assert "2 days of rows" in tell(MODEL, "--older-than", "30")[1]
    assert len(LogReader(Store(tmp_path), MODEL).read()) == 0


def test_the_command_deletes_a_picture_and_a_row_as_they_were_sent(tmp_path, tell):
    with serving(tmp_path, logs=True, pictures=1.0) as running:
        running.ask(picture(1))
        running.ask(picture(2))
    (tmp_path / "mine.png").write_bytes(picture(1))
    assert tell(MODEL, "--delete", str(tmp_path / "mine.png")) == (0, "1 row, 1 picture and 0 labels were deleted\n")
    store = Store(tmp_path)
    with serving(tmp_path, release(store, 0.01, TABLE), logs=True, alias="table") as running:
        running.rows({"age": 50}, {"age": 51, "pub": "a"})
    assert tell(MODEL, "--delete", "--row", '{"age": 50}') == (0, "1 row, 0 pictures and 0 labels were deleted\n")
    assert len(inputs_there(store)) == 2
    assert Rewriter(store, MODEL).settled().replaced == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["pnits"], "nothing is kept of what pnits predicted, did you mean 'pints'?"),
        ([MODEL, "--delete"], "--delete needs a file, a hash blake3:..., or --row JSON"),
        ([MODEL, "--delete", "nowhere.png"], "--delete nowhere.png: No such file or directory; give a file, or a hash"),
        ([MODEL, "--delete", "--row", "{"], "--row is no JSON"),
        ([MODEL, "--delete", "--row", "[1]"], "--row is to be one row"),
        ([MODEL, "--delete", GONE, "--row", "{}"], "a hash is of picture and row together"),
        ([MODEL, "--row", "{}"], "--row says what --delete is about"),
        ([MODEL, "--older-than", "0"], "--older-than 0 is to be a number of days from 1"),
    ],
)
def test_a_command_that_cannot_be_done_is_explained(tmp_path, tell, words, told):
    Writer(Store(tmp_path)).write(["x"])
    code, said = tell(*words)
    assert code == 2
    assert told in said
