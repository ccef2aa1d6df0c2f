"""Killed at any moment, or called twice at once: the store holds the whole snapshot or none of it."""

import random
import signal
import subprocess
import time

import pytest

from tests.warm import python
from totalml.data import load_snapshot, take_snapshot
from totalml.store import Store

TAKE = """
import sys
from pathlib import Path
from totalml.data import take_snapshot
from totalml.data.folder import ImageFolder
from totalml.recipe import DataRecipe
from totalml.store import Store
import blake3, numpy, PIL.Image, pyarrow.parquet
print("ready", flush=True)
sys.stdin.readline()
snapshot = take_snapshot(DataRecipe(source=ImageFolder(root=sys.argv[1])), Store(Path(sys.argv[2])))
print(snapshot.data_hash, snapshot.added, flush=True)
"""


@pytest.fixture
def many(tmp_path, encoded):
    root = tmp_path / "many"
    for number in range(600):
        path = root / f"label{number % 3}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number, "BMP", (40, 40)))
    return root


def start(root, store: Store) -> subprocess.Popen:
    command = [*python(), "-c", TAKE, str(root), str(store.root)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen) -> None:
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_killed_snapshot_leaves_a_store_that_the_next_call_finishes(many, store, recipe, tmp_path):
    undisturbed = Store(tmp_path / "undisturbed")
    expected = take_snapshot(recipe(many), undisturbed)
    whole = start(many, Store(tmp_path / "whole"))
    started = time.perf_counter()
    go(whole)
    whole.communicate()
    whole_s = time.perf_counter() - started
    moments = random.Random(0)
    for attempt in range(8):
        process = start(many, store)
        go(process)
        time.sleep(whole_s * (attempt + moments.random()) / 8)
        process.kill()
        out, _ = process.communicate()
        assert process.returncode == -signal.SIGKILL or out
        survivors = list((store.root / "snapshots").glob("[!.]*"))
        assert [path.name for path in survivors] in ([], [expected.data_hash[7:]])
        for path in survivors:
            assert load_snapshot("blake3:" + path.name, Store(store.root)).samples.equals(expected.samples)
    again = take_snapshot(recipe(many), Store(store.root))
    assert again.data_hash == expected.data_hash
    blobs = again.samples["blob"].to_pylist()
    assert list(Store(store.root).read_many(blobs)) == list(undisturbed.read_many(blobs))
    assert load_snapshot(again.data_hash, store).samples.equals(expected.samples)
    assert list(store.root.rglob(".tmp-*")) == []


@pytest.mark.parametrize("place", ["pack", "index", "stat", "tables", "rename"])
def test_a_process_that_dies_at_a_given_step_is_finished_by_the_next(photos, store, recipe, place, tmp_path):
    """Die right before a step, in a child process, without any clean-up."""
    before = {
        "pack": "totalml.store.writer._GrowingFile.close_as",
        "index": "totalml.store.writer.write_atomically",
        "stat": "totalml.store.stat_cache.StatCache.save",
        "tables": "totalml.data.snapshot._manifest",
        "rename": "totalml.store.atomic._sync_tree",
    }[place]
    owner, _, name = before.rpartition(".")
    code = TAKE.replace(
        'print("ready"',
        f"import os, pkgutil\nsetattr(pkgutil.resolve_name({owner!r}), {name!r}, lambda *_: os._exit(9))\n"
        'print("ready"',
    )
    command = [*python(), "-c", code, str(photos), str(store.root)]
    died = subprocess.run(command, input="\n", capture_output=True, text=True, check=False)
    assert (died.returncode, died.stderr) == (9, "")
    assert list((store.root / "snapshots").glob("[!.]*")) == []
    expected = take_snapshot(recipe(photos), Store(tmp_path / "other"))
    again = take_snapshot(recipe(photos), store)
    assert again.data_hash == expected.data_hash
    assert again.added == (8 if place in ("pack", "index") else 0)
    assert list(store.root.rglob(".tmp-*")) == []


def test_what_a_killed_process_left_in_any_folder_is_removed(photos, store, recipe):
    for name in ("fingerprints", "reports", "stat"):
        (store.folder(name) / ".tmp-x-1").write_bytes(b"half")
    store.folder("snapshots", ".tmp-of-another-1")
    take_snapshot(recipe(photos), store)
    assert list(store.root.rglob(".tmp-*")) == []


def test_a_process_waits_while_another_takes_a_snapshot(photos, store):
    process = start(photos, store)
    with store.lock("snapshots"):
        go(process)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2.5)
    assert process.communicate()[0].split()[1] == "8"


def test_two_processes_at_once_end_with_one_snapshot(many, store):
    processes = [start(many, store) for _ in range(2)]
    for process in processes:
        go(process)
    outs = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert outs[0][0] == outs[1][0]
    assert sorted(int(out[1]) for out in outs) == [0, 600]
    assert [path.name for path in (store.root / "snapshots").iterdir()] == [outs[0][0][7:]]
    assert len(list((store.root / "packs").glob("*.pack"))) == 1
