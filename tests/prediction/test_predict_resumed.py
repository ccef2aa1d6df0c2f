"""The bytes of the output do not tell how often the command was killed, nor by what the work was done."""

from __future__ import annotations

import errno
import os
import random
import sys
import time
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest

from tests.prediction.predicting import REPOSITORY, photos, predict, read, released, started
from tests.serving.serving import TABLE, release
from totalml.errors import StoreError
from totalml.prediction import parts
from totalml.prediction.chunk import Part
from totalml.prediction.parts import Parts, part_bytes, parts_folder
from totalml.store import Store
from totalml.store.locks import locked_if_free


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.mark.slow
def test_kills_at_any_moment_leave_no_trace_in_the_output(tmp_path):
    released(tmp_path / "store")
    folder, dice = photos(tmp_path / "photos", 60), random.Random(7)
    (folder / "00" / "bad.png").write_bytes(b"x")
    whole, out = tmp_path / "whole.parquet", tmp_path / "preds.parquet"
    assert ended(started(tmp_path / "store", folder, whole, 0))[0] == 4
    place, made = parts.parts_folder(out), [0]
    for further in (1, 0, 3, 2):
        process = started(tmp_path / "store", folder, out, 0.15)
        due = time.monotonic() + 120
        while count(place) < made[-1] + further and process.poll() is None:
            assert time.monotonic() < due
            time.sleep(0.01)
        time.sleep(dice.uniform(0, 0.15))
        process.kill()
        process.communicate()
        made.append(count(place))
        assert not out.exists()
    assert made == sorted(made)
    assert made[-1] > 0
    code, said = ended(started(tmp_path / "store", folder, out, 0))
    assert code == 4
    assert f"going on: {made[-1]} of 16 parts are there" in said
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "preds.parquet", "store", "whole.parquet"]


def count(place):
    return len([*place.glob("[!.]*.arrow")])


def ended(process):
    _, said = process.communicate(timeout=120)
    return process.returncode, said


def interrupted(monkeypatch, after: int):
    """The command ends when so many parts were saved."""
    save, saved = parts.Parts.save, []

    def stop(self, part):
        if part.data is not None:  # not where it was made already
            if len(saved) == after:
                raise KeyboardInterrupt
            saved.append(part)
        save(self, part)

    monkeypatch.setattr(parts.Parts, "save", stop)


def in_small_chunks(monkeypatch):
    from totalml.prediction import inputs, rows

    for module, name in ((inputs, "CHUNK"), (rows, "CHUNK"), (rows, "ROWS")):
        monkeypatch.setattr(module, name, 4)


def half_done(tmp_path, monkeypatch):
    folder, out = photos(tmp_path / "photos", 20), tmp_path / "preds.parquet"
    with monkeypatch.context() as during:
        interrupted(during, 2)
        assert predict(tmp_path / "store", folder, out, "--workers=1") == 130
    assert len([*parts.parts_folder(out).glob("*.arrow")]) == 2
    return folder, out


def test_another_release_or_changed_inputs_start_anew(tmp_path, monkeypatch, capsys):
    in_small_chunks(monkeypatch)
    released(tmp_path / "store")
    folder, out = half_done(tmp_path, monkeypatch)
    photos(folder, 1, first=20)
    with monkeypatch.context() as during:
        interrupted(during, 1)
        assert predict(tmp_path / "store", folder, out) == 130
    assert "another state of: inputs" in capsys.readouterr().err
    other = released(tmp_path / "store", share=0.5)
    assert predict(tmp_path / "store", folder, out) == 0
    assert "another state of: release" in capsys.readouterr().err
    told = read(out)
    assert told["release"].to_pylist() == [other.hash] * 21


def test_what_changes_while_it_is_read_is_told(tmp_path, monkeypatch, capsys):
    in_small_chunks(monkeypatch)
    released(tmp_path / "store")
    folder, out = photos(tmp_path / "photos", 20), tmp_path / "preds.parquet"
    save = parts.Parts.save
    monkeypatch.setattr(parts.Parts, "save", lambda *given: (photos(folder, 1, first=19), save(*given)))
    assert predict(tmp_path / "store", folder, out) == 4
    assert "changed while it was read" in capsys.readouterr().err
    assert not out.exists()


def test_a_table_that_grows_while_it_is_read_is_told(tmp_path, monkeypatch, capsys):
    in_small_chunks(monkeypatch)
    released(tmp_path / "store", TABLE, 0.01)
    table, out = tmp_path / "rows.csv", tmp_path / "preds.parquet"
    table.write_text("age,pub\n" + "1,a\n" * 40)
    begin = parts.Parts.begin
    more = lambda *given: (table.write_text("age,pub\n" + "1,a\n" * 44), begin(*given))[1]  # noqa: E731
    monkeypatch.setattr(parts.Parts, "begin", more)
    assert predict(tmp_path / "store", table, out) == 4
    assert "changed while it was read" in capsys.readouterr().err


def test_one_flipped_byte_of_a_part_is_found(tmp_path, monkeypatch, capsys):
    in_small_chunks(monkeypatch)
    released(tmp_path / "store")
    folder, out = half_done(tmp_path, monkeypatch)
    part = next(parts.parts_folder(out).glob("*.arrow"))
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    assert predict(tmp_path / "store", folder, out) == 5
    assert "the same command makes it again" in capsys.readouterr().err


def test_what_a_worker_of_a_killed_command_saves_later_is_no_part_of_another(tmp_path):
    out, part = tmp_path / "preds.parquet", Part(0, part_bytes(pa.table({"id": ["old"]})))
    before = Parts.begin(out, {"release": "a"}, 2, False, pytest.fail)
    before.save(part)
    said: list[str] = []
    now = Parts.begin(out, {"release": "b"}, 2, False, said.append)
    before.save(part)
    assert now.missing == [0, 1]
    assert Parts.begin(out, {"release": "b"}, 2, False, said.append).missing == [0, 1]
    assert said[1] == "going on: 0 of 2 parts are there"
    made = [Part(number, part_bytes(pa.table({"id": ["new"], "error": [None]}))) for number in range(2)]
    now.join(iter(made))
    with pytest.raises(StoreError, match="cannot write"):
        before.save(part)
    assert [path.name for path in tmp_path.iterdir()] == ["preds.parquet"]
    assert read(out)["id"].to_pylist() == ["new", "new"]


def test_one_output_is_made_by_one_command_at_a_time_of_whatever_store(tmp_path, monkeypatch):
    folder, held, join = photos(tmp_path / "photos", 2), [], Parts.join

    def looked(self, made):
        lock = next(tmp_path.glob(".*.lock"))
        with locked_if_free(lock) as free:
            held.append((lock, free))
        return join(self, made)

    monkeypatch.setattr(Parts, "join", looked)
    (tmp_path / "here").symlink_to(tmp_path)
    (tmp_path / ".preds.parquet.lock").touch()  # of one that was killed
    for store, out in (("a", "preds.parquet"), ("b", "photos/../preds.parquet"), ("b", "here/preds.parquet")):
        released(tmp_path / store)
        assert predict(tmp_path / store, folder, tmp_path / out, "--overwrite") == 0
    assert held == [(tmp_path / ".preds.parquet.lock", False)] * 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "here", "photos", "preds.parquet"]


@pytest.mark.parametrize("written", ["totalml.store.atomic.write_all", "pyarrow.parquet.ParquetWriter.write_table"])
def test_a_full_disk_is_that_of_the_output(tmp_path, monkeypatch, capsys, written):
    def full(*given, **more):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    released(tmp_path / "store")
    folder = photos(tmp_path / "photos", 2)
    monkeypatch.setattr(written, full)
    assert predict(tmp_path / "store", folder, tmp_path / "preds.parquet") == 5
    told = capsys.readouterr().err
    assert "set --out to another disk" in told
    assert "runtime" not in told


def test_a_damaged_part_is_made_again(tmp_path, monkeypatch, capsys):
    in_small_chunks(monkeypatch)
    released(tmp_path / "store")
    folder, out = half_done(tmp_path, monkeypatch)
    next(parts.parts_folder(out).glob("00000001-*.arrow")).write_bytes(b"ARROW")
    assert predict(tmp_path / "store", folder, out) == 5
    assert "the same command makes it again" in capsys.readouterr().err
    assert predict(tmp_path / "store", folder, out) == 0
    assert len(read(out)) == 20


def test_an_output_of_other_inputs_is_not_replaced_by_unfinished_work(tmp_path, monkeypatch):
    in_small_chunks(monkeypatch)
    released(tmp_path / "store")
    folder, out = half_done(tmp_path, monkeypatch)
    out.write_text("mine")
    photos(folder, 1, first=20)
    assert predict(tmp_path / "store", folder, out) == 2
    assert out.read_text() == "mine"


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "ray"])
def test_processes_give_the_bytes_that_threads_give(tmp_path, monkeypatch, backend):
    if backend == "ray":
        pytest.importorskip("ray")
    in_small_chunks(monkeypatch)
    released(tmp_path / "store")
    folder, outs = photos(tmp_path / "photos", 41), [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    (folder / "00" / "bad.png").write_bytes(b"x")
    assert predict(tmp_path / "store", folder, outs[0], "--workers=3") == 4
    assert predict(tmp_path / "store", folder, outs[1], f"--backend={backend}", "--workers=2") == 4
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_a_backend_that_is_not_installed_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    released(tmp_path / "store")
    folder = photos(tmp_path / "photos", 2)
    assert predict(tmp_path / "store", folder, tmp_path / "preds.parquet", "--backend=ray") == 10
    assert "--backend ray needs the package 'ray'" in capsys.readouterr().err


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path, monkeypatch):
    in_small_chunks(monkeypatch)
    monkeypatch.setattr(parts, "TOGETHER", 8)
    released(tmp_path / "store", TABLE, 0.01)
    peaks = []
    for count in (100, 100, 1000):  # the first time, modules are imported
        table = tmp_path / f"{count}.csv"
        table.write_text("age,pub,note\n" + f"1,a,{'x' * 2000}\n" * count)
        tracemalloc.start()
        assert predict(tmp_path / "store", table, tmp_path / f"{len(peaks)}.parquet") == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < peaks[1] + 500_000


@pytest.mark.slow
def test_a_release_with_onnx_needs_no_torch(tmp_path):
    store = Store(tmp_path / "store")
    assert release(store).hash == released(tmp_path / "store").hash
    process = started(tmp_path / "store", photos(tmp_path / "photos", 3), tmp_path / "preds.parquet", 0)
    assert ended(process)[0] == 0
    assert len(read(tmp_path / "preds.parquet")) == 3


def test_parts_of_a_version_that_made_smaller_ones_are_made_anew_and_it_is_said_why(tmp_path, capsys, monkeypatch):
    released(tmp_path / "store", TABLE, 0.01)
    rows, out, begun, begin = tmp_path / "rows.csv", tmp_path / "preds.parquet", [], Parts.begin
    rows.write_text("age,pub\n" + "30,a\n" * 300)

    def kept(out: Path, facts: dict[str, object], *more: object) -> Parts:
        begun.append(facts)
        return begin(out, facts, *more)

    monkeypatch.setattr(Parts, "begin", kept)
    assert predict(tmp_path / "store", rows, out) == 0
    whole = out.read_bytes()
    out.unlink()
    begin(out, begun[0] | {"samples at once": 256}, 2, False, print)
    for ending in ("parquet", "arrow"):
        (parts_folder(out) / f"00000000.{ending}").write_bytes(b"the first 256 rows")
    capsys.readouterr()
    assert predict(tmp_path / "store", rows, out) == 0
    assert "was of another state of: samples at once" in capsys.readouterr().err
    assert out.read_bytes() == whole
    assert not parts_folder(out).exists()
