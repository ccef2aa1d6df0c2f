"""A store that stands before a remote one: whole things move, verified, and a kill leaves nothing half-done."""

import math
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.store.machines import DyingFileSystem, Killed, machine
from totalml.errors import StoreError
from totalml.store import Store
from totalml.store.atomic import atomic_folder
from totalml.store.remote import Remote

BLOBS = b"one", b"two" * 10, b"", b"large" * 100
THINGS = {
    "snapshots/5f": {"samples.parquet": b"s" * 50, "skipped.parquet": b"", "manifest.json": b"{}"},
    "features/ab/segments/cd": {"pixels.u8": bytes(300), "blobs.txt": b"x", "segment.json": b"{}"},
    "stages/training/ef": {"model.safetensors": b"w" * 9, "checkpoints/best.ckpt": b"c", "stage.json": b"{}"},
}
SINGLE = {"fingerprints/12.json": b"{}", "code/34.zip": b"zip"}


@pytest.fixture(autouse=True)
def no_leftovers(monkeypatch):
    monkeypatch.setattr("totalml.store.writer.LARGE_BYTES", 100)
    DyingFileSystem.empty()
    DyingFileSystem.die_after(math.inf)


@pytest.fixture(params=["memory", "file", "dying"])
def url(request, tmp_path):
    import fsspec

    if request.param == "memory":
        fsspec.filesystem("memory").store.clear()
    return f"{request.param}://{tmp_path}/there"


def fill(store: Store, put) -> list[str]:
    digests = put(store, *BLOBS)
    for name, files in THINGS.items():
        with atomic_folder(store.root / name) as folder:
            for file, content in files.items():
                (folder / file).parent.mkdir(exist_ok=True)
                (folder / file).write_bytes(content)
    for name, content in SINGLE.items():
        store.folder(Path(name).parent.name)
        (store.root / name).write_bytes(content)
    store.folder("stat")
    (store.root / "stat" / "56.bin").write_bytes(b"of this machine")
    return digests


def whole(store: Store, name: str) -> bool:
    """Fetch a thing; whether it came, and then as it was sent."""
    store.fetch(*name.split("/"))
    folder = store.root / name
    if not folder.exists():
        return False
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == THINGS[name]
    return True


def test_another_machine_reads_what_one_published(url, put, tmp_path):
    one, other = machine(url, tmp_path / "one"), machine(url, tmp_path / "other")
    digests = fill(one, put)
    one.publish()
    assert all(whole(other, name) for name in THINGS)
    for name, content in SINGLE.items():
        other.fetch(*name.split("/"))
        assert (other.root / name).read_bytes() == content
    assert other.missing(digests) == []
    assert list(other.read_many(digests)) == list(BLOBS)
    assert not (other.root / "stat").exists()
    assert list(other.root.rglob(".tmp-*")) == []


def test_a_store_that_goes_to_another_process_still_reads_the_remote_one(url, put, tmp_path):
    one, other = machine(url, tmp_path / "one"), machine(url, tmp_path / "other")
    digests = put(one, *BLOBS)
    one.publish()
    assert list(pickle.loads(pickle.dumps(other)).read_many(digests)) == list(BLOBS)


def test_a_folder_of_things_is_fetched_at_once(url, put, tmp_path):
    one, other = machine(url, tmp_path / "one"), machine(url, tmp_path / "other")
    fill(one, put)
    one.publish()
    other.fetch("features", "ab", "segments")
    assert whole(other, "features/ab/segments/cd")
    assert not (other.root / "snapshots").exists()


def test_only_the_part_that_is_named_is_published(url, put, tmp_path):
    one, other = machine(url, tmp_path / "one"), machine(url, tmp_path / "other")
    fill(one, put)
    one.publish("snapshots", "5f")
    assert [name for name in THINGS if whole(other, name)] == ["snapshots/5f"]


def test_a_pack_is_brought_only_when_a_blob_of_it_is_read(url, put, tmp_path):
    one, other = machine(url, tmp_path / "one"), machine(url, tmp_path / "other")
    digests = put(one, *BLOBS)
    one.publish()
    assert other.missing(digests) == []
    assert list(other.root.glob("*/*.pack")) == list(other.root.glob("large/*")) == []
    assert other.read(digests[0]) == BLOBS[0]
    assert len(list(other.root.glob("packs/*.pack"))) == 1
    assert list(other.root.glob("large/*")) == []


def test_blobs_that_the_remote_store_holds_are_not_stored_again(url, put, tmp_path):
    one, other = machine(url, tmp_path / "one"), machine(url, tmp_path / "other")
    digests = put(one, *BLOBS)
    one.publish()
    put(other, *BLOBS, b"three")
    assert sum(path.stat().st_size for path in other.root.glob("packs/*.pack")) == len(b"three")
    other.publish()
    [*_, three] = put(other, b"three")
    assert list(machine(url, tmp_path / "third").read_many([*digests, three])) == [*BLOBS, b"three"]


def test_what_is_there_is_not_sent_again(put, tmp_path):
    one = machine("dying://there", tmp_path / "one")
    fill(one, put)
    one.publish()
    DyingFileSystem.die_after(0)
    one.publish()
    machine("dying://there", tmp_path / "one").publish()


def steps_of_publishing(put, tmp_path) -> int:
    store = machine("dying://there", tmp_path / "undisturbed")
    fill(store, put)
    DyingFileSystem.die_after(1000)
    store.publish()
    return 1000 - int(DyingFileSystem.steps_left)


def test_dying_at_any_step_of_publishing_leaves_whole_things_and_the_next_call_sends_the_rest(put, tmp_path):
    steps = steps_of_publishing(put, tmp_path)
    assert steps == 2 * (2 + 1 + 9 + 3 + 2)  # a copy and a rename for each file and each list of digests
    came = set()
    for step in range(steps):
        DyingFileSystem.empty()
        DyingFileSystem.die_after(math.inf)
        one = machine("dying://there", tmp_path / f"one{step}")
        digests = fill(one, put)
        DyingFileSystem.die_after(step)
        with pytest.raises(Killed):
            one.publish()
        DyingFileSystem.die_after(math.inf)

        told: list[str] = []
        reader = machine("dying://there", tmp_path / f"reader{step}", told)
        there = [digest for digest in digests if digest not in reader.missing(digests)]
        assert list(reader.read_many(there)) == [BLOBS[digests.index(digest)] for digest in there]
        came.add(len(there) + sum(whole(reader, name) for name in THINGS))
        assert told == []

        machine("dying://there", tmp_path / f"one{step}").publish()
        late = machine("dying://there", tmp_path / f"late{step}")
        assert list(late.read_many(digests)) == list(BLOBS)
        assert all(whole(late, name) for name in THINGS)
        assert not [path for path in DyingFileSystem.store if ".tmp-" in path]
    assert len(came) > 3  # the deaths were at different stages


def remote_files(tmp_path: Path, pattern: str) -> list[Path]:
    found = sorted(tmp_path.joinpath("there").glob(pattern))
    assert found, pattern
    return found


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("pattern", ["packs/*.pack", "large/*"])
@pytest.mark.parametrize("damage", [flip, lambda file: file.write_bytes(file.read_bytes()[:-1])], ids=["flip", "cut"])
def test_a_damaged_remote_blob_is_named_and_the_mend_works(put, tmp_path, pattern, damage):
    url = f"file://{tmp_path}/there"
    one, other = machine(url, tmp_path / "one"), machine(url, tmp_path / "other")
    digests = put(one, *BLOBS)
    one.publish()
    (file,) = remote_files(tmp_path, pattern)
    damage(file)
    with pytest.raises(StoreError, match=f"is damaged in {url}/.*{file.name}. Delete {url}") as told:
        list(other.read_many(digests))
    assert "copy" in str(told.value)
    for path in remote_files(tmp_path, f"{file.parent.name}/{file.stem}*"):
        assert f"{url}/{file.parent.name}/{path.name}" in str(told.value)
        path.unlink()
    assert machine(url, tmp_path / "other").missing(digests) != []  # the source is to be looked at again
    machine(url, tmp_path / "one").publish()  # or the machine with a good copy sends it again
    assert list(machine(url, tmp_path / "other").read_many(digests)) == list(BLOBS)


@pytest.mark.parametrize("pattern", ["packs/*.pack", "large/*"])
def test_a_cut_remote_blob_is_replaced_by_whoever_has_the_good_one(put, tmp_path, pattern):
    url = f"file://{tmp_path}/there"
    one = machine(url, tmp_path / "one")
    digests = put(one, *BLOBS)
    one.publish()
    (file,) = remote_files(tmp_path, pattern)
    file.write_bytes(file.read_bytes()[:-1])
    machine(url, tmp_path / "one").publish()
    assert list(machine(url, tmp_path / "other").read_many(digests)) == list(BLOBS)


@pytest.mark.parametrize("pattern", ["packs/*.pack", "large/*"])
def test_a_damaged_blob_of_this_machine_is_replaced_by_the_remote_one(url, put, tmp_path, pattern):
    one = machine(url, tmp_path / "one")
    digests = put(one, *BLOBS)
    one.publish()
    (file,) = one.root.glob(pattern)
    flip(file)
    assert list(machine(url, tmp_path / "one").read_many(digests)) == list(BLOBS)
    assert list(Store(one.root).read_many(digests)) == list(BLOBS)


def test_a_damaged_pack_is_not_sent(put, tmp_path):
    told: list[str] = []
    url = f"file://{tmp_path}/there"
    one = machine(url, tmp_path / "one", told)
    put(one, *BLOBS)
    (file,) = one.root.glob("packs/*.pack")
    flip(file)
    one.publish()
    assert told == [f"{file} is damaged and is not sent to {url}"]
    assert not list((tmp_path / "there").glob("packs/*"))


def test_a_damaged_remote_index_is_named_and_its_blobs_are_stored_anew(put, tmp_path):
    told: list[str] = []
    url = f"file://{tmp_path}/there"
    one, other = machine(url, tmp_path / "one"), machine(url, tmp_path / "other", told)
    digests = put(one, *BLOBS)
    one.publish()
    (file,) = remote_files(tmp_path, "packs/*.idx")
    flip(file)
    assert other.missing(digests) == digests
    assert f"index {url}/packs/{file.name} is damaged" in told[0]
    assert list(other.read_many(put(other, *BLOBS))) == list(BLOBS)


@pytest.mark.parametrize("file", ["samples.parquet", "manifest.json", "digests.json"])
@pytest.mark.parametrize("damage", [flip, empty, Path.unlink], ids=["flip", "empty", "gone"])
def test_a_damaged_remote_folder_is_named_set_aside_and_replaced(put, tmp_path, file, damage):
    told: list[str] = []
    url = f"file://{tmp_path}/there"
    one, other = machine(url, tmp_path / "one"), machine(url, tmp_path / "other", told)
    fill(one, put)
    one.publish()
    damage(tmp_path / "there/snapshots/5f" / file)
    assert not whole(other, "snapshots/5f")
    if (file, damage) != ("digests.json", Path.unlink):  # then nothing says that it was ever there
        assert f"{url}/snapshots/5f/{file if file != 'digests.json' else ''}" in told[0]
    machine(url, tmp_path / "one").publish()
    assert whole(machine(url, tmp_path / "other"), "snapshots/5f")


def test_a_remote_folder_cannot_write_elsewhere(put, tmp_path):
    told: list[str] = []
    url = f"file://{tmp_path}/there"
    one, other = machine(url, tmp_path / "one"), machine(url, tmp_path / "other", told)
    fill(one, put)
    one.publish()
    listed = tmp_path / "there/snapshots/5f/digests.json"
    listed.write_text(listed.read_text().replace("manifest.json", "../../../../out"))
    assert not whole(other, "snapshots/5f")
    assert "it names other places" in told[0]
    assert not list(tmp_path.rglob("out"))


def test_a_key_that_leads_out_of_the_store_is_not_followed(tmp_path):
    DyingFileSystem().pipe_file("/there/fingerprints/../../../out", b"evil")
    DyingFileSystem().pipe_file("/there/snapshots/5f/../../../../out/digests.json", b"{}")
    other = machine("dying://there", tmp_path / "other")
    other.fetch("fingerprints")
    other.fetch("snapshots", "5f")
    assert not list(tmp_path.rglob("*out*"))


def test_machines_that_publish_at_the_same_time_do_no_harm(url, put, tmp_path):
    machines = [machine(url, tmp_path / str(number)) for number in range(4)]
    *_, digests = [fill(store, put) for store in machines]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Store.publish, machines))
    reader = machine(url, tmp_path / "reader")
    assert all(whole(reader, name) for name in THINGS)
    assert list(reader.read_many(digests)) == list(BLOBS)


@pytest.mark.parametrize("url", ["memory://made", "dying://made"])
def test_a_file_is_made_once_only(url, monkeypatch):
    remote = Remote(url)
    assert [remote.create("claim", b"one"), remote.create("claim", b"two")] == [True, False]
    assert remote.read("claim") == b"one"
    remote.remove("claim")

    can_open = DyingFileSystem.open

    def refuse(self, path, mode="rb", **options):  # one that cannot tell whether it made the file
        if "x" in mode:
            raise NotImplementedError(mode)
        return can_open(self, path, mode, **options)

    monkeypatch.setattr(DyingFileSystem, "open", refuse)
    assert [remote.create("claim", b"three"), remote.create("claim", b"four")] == [True, False]
    assert remote.read("claim") == b"three"


def test_what_is_written_is_remembered_only_where_it_was_listed():
    remote = Remote("memory://months")
    for number in range(3):
        remote.write(f"log/{number}", b"row")
        remote.create(f"journal/{number}", b"event")
    assert not remote._sizes
    assert len(remote.files("log")) == 3
    remote.write("log/3", b"rows")
    assert remote.files("log")["log/3"] == 4


def test_of_many_that_make_a_file_at_once_one_is_told_so(tmp_path):
    remotes = [Remote(f"file://{tmp_path}/{number % 50}") for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda remote: remote.create("claim", b"x"), remotes))
    assert sum(made) == 50


def test_a_folder_that_cannot_be_reached_is_told_with_its_url(tmp_path):
    (tmp_path / "there").write_text("in the way")
    store = machine(f"file://{tmp_path}/there", tmp_path / "one")
    store.folder("snapshots", "5f")
    (store.root / "snapshots/5f/manifest.json").write_text("{}")
    with pytest.raises(StoreError, match=f"file://{tmp_path}/there/snapshots.*cannot be written: NotADirectoryError"):
        store.publish()


def test_a_store_without_a_remote_one_has_nothing_to_fetch_or_publish(store, put):
    put(store, *BLOBS)
    before = sorted(store.root.rglob("*"))
    store.fetch("snapshots", "5f")
    store.publish()
    assert sorted(store.root.rglob("*")) == before
