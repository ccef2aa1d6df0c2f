import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from totalml.errors import StoreError
from totalml.store import Store
from totalml.store import writer as writer_module
from totalml.store.store import to_bytes


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(blobs=st.lists(st.binary(max_size=300), max_size=20), data=st.data())
def test_what_is_stored_is_read_back_in_any_order(tmp_path_factory, put, blobs, data):
    store = Store(tmp_path_factory.mktemp("store"))
    digests = put(store, *blobs)
    order = data.draw(st.permutations(range(len(blobs))))
    assert list(Store(store.root).read_many([digests[place] for place in order])) == [blobs[place] for place in order]


def test_a_digest_is_the_plain_blake3_of_the_bytes(store, put):
    # The hash of "abc" as b3sum prints it.
    assert put(store, b"abc") == ["blake3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"]


def test_the_blobs_of_one_session_share_one_pack_and_one_sync(store, put, monkeypatch):
    synced = []
    monkeypatch.setattr(writer_module, "sync", lambda descriptor: synced.append(descriptor))
    put(store, *(bytes([number]) * 100 for number in range(50)))
    assert len(synced) == 1
    assert [name.rpartition(".")[2] for name in files(store.root / "packs")] == ["idx", "pack"]


def test_the_same_content_is_stored_once(store, put):
    put(store, b"same", b"same", b"other")
    put(Store(store.root), b"same")
    assert sum(path.stat().st_size for path in (store.root / "packs").glob("*.pack")) == len(b"sameother")


def test_a_large_blob_gets_a_file_of_its_own(store, put, monkeypatch):
    monkeypatch.setattr(writer_module, "LARGE_BYTES", 1000)
    large, small = put(store, b"x" * 1000, b"x" * 999)
    assert files(store.root / "large") == [large.removeprefix("blake3:")]
    assert list(Store(store.root).read_many([small, large])) == [b"x" * 999, b"x" * 1000]


def test_a_pack_is_closed_when_it_is_full(store, put, monkeypatch):
    monkeypatch.setattr(writer_module, "PACK_BYTES", 250)
    digests = put(store, *(bytes([number]) * 100 for number in range(7)))
    assert len(list((store.root / "packs").glob("*.pack"))) == 3
    assert len(list(store.read_many(digests))) == 7


def test_more_packs_than_may_be_open_are_read(store, put, monkeypatch):
    monkeypatch.setattr("totalml.store.store.OPEN_PACKS", 2)
    digests = [digest for number in range(5) for digest in put(store, bytes([number]))]
    assert list(store.read_many(digests * 2)) == [bytes([number]) for number in range(5)] * 2


def test_a_store_sees_what_another_process_added_meanwhile(store, put):
    put(store, b"first")
    [digest] = put(Store(store.root), b"second")
    assert store.read(digest) == b"second"


@pytest.mark.parametrize("place", [0, 50, 99])
def test_a_flipped_byte_is_noticed_when_read(store, put, place):
    before, damaged, after = put(store, b"a" * 10, bytes(100), b"b" * 10)
    [pack] = (store.root / "packs").glob("*.pack")
    content = bytearray(pack.read_bytes())
    content[10 + place] ^= 1
    pack.write_bytes(content)
    with pytest.raises(StoreError, match=f"{damaged} is damaged.*Delete .*idx"):
        store.read(damaged)
    assert list(store.read_many([before, after])) == [b"a" * 10, b"b" * 10]


def test_a_cut_or_deleted_pack_is_noticed_when_read(store, put):
    digests = put(store, b"a" * 10, b"b" * 10)
    [pack] = (store.root / "packs").glob("*.pack")
    os.truncate(pack, 15)
    with pytest.raises(StoreError, match=digests[1]):
        store.read(digests[1])
    pack.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        store.read(digests[0])


def test_a_missing_blob_is_named(store, put):
    put(store, b"x")
    with pytest.raises(StoreError, match="holds no blob blake3:00"):
        store.read("blake3:" + "00" * 32)
    assert store.missing(["blake3:" + "00" * 32, *put(store, b"x")]) == ["blake3:" + "00" * 32]


def test_a_damaged_index_is_named_and_its_blobs_are_stored_anew_once_it_is_deleted(store, put):
    put(store, b"x")
    [index] = (store.root / "packs").glob("*.idx")
    index.write_bytes(index.read_bytes()[:-1] + b"?")
    with pytest.raises(StoreError, match=f"{index.name} is damaged. Delete it"):
        put(Store(store.root), b"x")
    index.unlink()
    again = Store(store.root)
    assert again.read(put(again, b"x")[0]) == b"x"


def test_what_a_killed_process_left_is_removed_by_the_next_writer(store, put):
    [kept] = put(store, b"kept")
    for name in ("packs/.tmp-pack-1", "packs/0123.pack", "large/.tmp-copy-1", f"large/{'ab' * 32}"):
        (store.root / name).write_bytes(b"half")
    put(store, b"new")
    assert {Path(name).suffix for name in files(store.root / "packs")} == {".idx", ".pack"}
    assert len(files(store.root / "packs")) == 4
    assert files(store.root / "large") == []
    assert store.read(kept) == b"kept"


def test_a_large_file_that_someone_deleted_is_stored_anew(store, put, monkeypatch):
    monkeypatch.setattr(writer_module, "LARGE_BYTES", 10)
    [digest] = put(store, b"x" * 10)
    (store.root / "large" / digest.removeprefix("blake3:")).unlink()
    again = Store(store.root)
    assert put(again, b"x" * 10) == [digest]
    assert again.read(digest) == b"x" * 10


def test_an_exception_while_writing_leaves_nothing(store):
    def stop_half_way():
        with store.writing() as writer:
            writer.add(blake3(b"x").digest(), b"x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_half_way()
    assert files(store.root / "packs") == []
    assert Store(store.root).missing(["blake3:" + blake3(b"x").hexdigest()])


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**24, 2**24 + 1, 40_000_000])
def test_a_large_file_is_copied_and_hashed_in_one_pass(store, tmp_path, size):
    source = tmp_path / "source.bin"
    content = os.urandom(size)
    source.write_bytes(content)
    with store.writing() as writer, writer.copy(source) as (digest, copy):
        assert digest == blake3(content).digest()
        assert copy.read_bytes() == content
        writer.keep(digest, copy)
    source.write_bytes(b"an edit in place does not reach the store")
    assert store.read("blake3:" + digest.hex()) == content


def test_a_copy_that_is_not_kept_goes_away(store, tmp_path):
    (tmp_path / "source.bin").write_bytes(b"x")
    with store.writing() as writer, writer.copy(tmp_path / "source.bin"):
        pass
    assert files(store.root / "large") == []


def test_index_entries_survive_with_the_size_of_the_picture(store):
    digest = blake3(b"x").digest()
    with store.writing() as writer:
        writer.add(digest, b"x", 640, 480)
    with Store(store.root).writing() as writer:
        found = writer.find(digest)
    assert (found.width, found.height, found.length) == (640, 480, 1)
    assert to_bytes("blake3:" + digest.hex()) == digest


LIMITED = """
import resource, sys
from pathlib import Path
from blake3 import blake3
from totalml.errors import StoreError
from totalml.store import Store
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with Store(Path(sys.argv[1])).writing() as writer:
        for number in range(int(sys.argv[2])):
            blob = number.to_bytes(4, "little") * 3000
            writer.add(blake3(blob).digest(), blob)
except StoreError as error:
    print(error)
"""


def test_a_file_that_may_grow_no_further_is_told_and_leaves_nothing(store, put):
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    put(store, b"earlier")
    before = files(store.root / "packs")
    command = [sys.executable, "-c", LIMITED, str(store.root)]
    told = subprocess.run([*command, "200"], capture_output=True, text=True, check=True).stdout
    assert str(store.root / "packs") in told
    assert "bytes were to be written" in told
    assert files(store.root / "packs") == before
    assert subprocess.run([*command, "5"], capture_output=True, text=True, check=True).stdout == ""
    assert len(files(store.root / "packs")) == len(before) + 2
