import errno
import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from totalml.errors import StoreError
from totalml.store import Store, locks
from totalml.store.atomic import atomic_folder, remove_leftovers, write_atomically


def full(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_a_file_appears_whole_and_its_folders_with_it(tmp_path):
    write_atomically(tmp_path / "a" / "b.json", b"1")
    write_atomically(tmp_path / "a" / "b.json", b"22")
    assert (tmp_path / "a" / "b.json").read_bytes() == b"22"
    assert tree(tmp_path) == {"a", "a/b.json"}


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_is_told_and_the_old_file_stays(tmp_path, monkeypatch, call):
    write_atomically(tmp_path / "a.json", b"old")
    monkeypatch.setattr(os, call, full)
    with pytest.raises(StoreError, match=rf"{tmp_path}.*No space left.*12,345 bytes were to be written") as error:
        write_atomically(tmp_path / "a.json", bytes(12_345))
    monkeypatch.undo()
    assert "runtime.store" in str(error.value)
    assert error.value.exit_code == 5
    assert tree(tmp_path) == {"a.json"}
    assert (tmp_path / "a.json").read_bytes() == b"old"


def test_a_folder_without_permission_is_told(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StoreError, match=r"Permission denied.*permissions"):
        write_atomically(tmp_path / "a.json", b"")


def test_a_folder_appears_whole(tmp_path):
    with atomic_folder(tmp_path / "deep" / "set") as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "x").write_bytes(b"1")
        assert not (tmp_path / "deep" / "set").exists()
    assert tree(tmp_path) == {"deep", "deep/set", "deep/set/sub", "deep/set/sub/x"}


def test_a_folder_that_fails_half_way_leaves_nothing(tmp_path):
    def fail_half_way():
        with atomic_folder(tmp_path / "set") as folder:
            (folder / "x").write_bytes(b"1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert tree(tmp_path) == set()


def test_a_full_disk_at_the_end_of_a_folder_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="3 bytes were"), atomic_folder(tmp_path / "set") as folder:
        (folder / "x").write_bytes(b"123")
    assert tree(tmp_path) == set()


def test_the_folder_that_was_there_first_stays(tmp_path):
    with atomic_folder(tmp_path / "set") as mine:
        (mine / "x").write_bytes(b"mine")
        with atomic_folder(tmp_path / "other"):
            pass
        (tmp_path / "set").mkdir()
        (tmp_path / "set" / "x").write_bytes(b"first")
    assert (tmp_path / "set" / "x").read_bytes() == b"first"
    assert tree(tmp_path) == {"set", "set/x", "other"}


def test_what_a_killed_process_left_of_a_folder_is_removed(tmp_path):
    (tmp_path / ".tmp-set-0123").mkdir()
    (tmp_path / ".tmp-another-0123").mkdir()
    with atomic_folder(tmp_path / "set"):
        pass
    assert tree(tmp_path) == {"set", ".tmp-another-0123"}


def test_of_a_link_that_looks_like_a_leftover_the_link_is_removed_and_what_it_names_stays(tmp_path):
    (outside := tmp_path / "outside").mkdir()
    (folder := tmp_path / "folder").mkdir()
    (outside / "kept").write_text("x")
    (folder / ".tmp-a").symlink_to(outside)
    (folder / ".tmp-b").symlink_to(tmp_path / "nowhere")
    remove_leftovers(folder)
    assert [*folder.iterdir()] == []
    assert [each.name for each in outside.iterdir()] == ["kept"]


def test_a_store_on_a_path_that_is_a_file_is_told(tmp_path):
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreError, match=r"cannot write.*runtime\.store"):
        Store(tmp_path / "store").folder("packs")


HOLDER = """
import sys, time
from pathlib import Path
from totalml.store import Store
with Store(Path(sys.argv[1])).lock("x"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_process_that_waits_for_a_lock_says_so(store, capfd, monkeypatch):
    monkeypatch.setattr(locks, "SAY_AFTER_S", 0.1)
    command = [sys.executable, "-c", HOLDER, str(store.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        timer = threading.Timer(0.5, lambda: holder.communicate("\n"))
        timer.start()
        with store.lock("x"):
            assert holder.wait() == 0
        timer.join()
    assert "waiting for another process that holds" in capfd.readouterr().err
    with store.lock("x"):
        assert capfd.readouterr().err == ""


def test_locks_of_different_names_do_not_wait(store):
    with store.lock("x"), store.lock("y"):
        assert tree(store.root / "locks") >= {"x.lock", "y.lock"}


def test_importing_the_store_imports_nothing_heavy():
    code = "import sys, totalml.store, totalml.data, totalml.data.folder, totalml.data.table; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {"numpy", "pyarrow", "PIL", "torch", "pandas"}


def test_a_lock_whose_file_is_cleaned_away_as_it_is_taken_is_taken_anew(store, monkeypatch):
    path, flock = store.folder("locks") / "x.lock", fcntl.flock

    def cleaned(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        path.unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", cleaned)
    with store.lock("x"), locks.locked_if_free(path) as free:
        assert not free
    with locks.locked_if_free(path) as free:
        assert free
