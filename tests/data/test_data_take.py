import json
import os
import shutil
import time
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pyarrow as pa
import pytest
from blake3 import blake3
from PIL import Image

from totalml.data import ImageFolder, Sample, Snapshot, ingest, load_snapshot, ppm, take_snapshot
from totalml.errors import SnapshotError, StoreError
from totalml.progress import Progress
from totalml.store import Store
from totalml.store import stat_cache as stat_cache_module
from totalml.store import writer as writer_module


@pytest.fixture
def looks(monkeypatch) -> list[object]:
    """Every picture that was looked at."""
    seen: list[object] = []
    inspect = ingest.inspect
    monkeypatch.setattr(ingest, "inspect", lambda data, limit: seen.append(data) or inspect(data, limit))
    return seen


@pytest.fixture
def settled(monkeypatch):
    """As if all files had been at rest for long."""
    monkeypatch.setattr(stat_cache_module, "RACY_NS", 0)


def rows(snapshot: Snapshot, *columns: str) -> list[tuple]:
    return list(zip(*(snapshot.samples[name].to_pylist() for name in columns), strict=True))


def test_a_snapshot_holds_every_photo_and_its_label(photos, store, recipe):
    snapshot = take_snapshot(recipe(photos), store)
    expected = [(f"{'cat' if number < 4 else 'dog'}/{number}.png") for number in range(8)]
    assert rows(snapshot, "id", "label", "group") == [(name, name[:3], name) for name in expected]
    blobs = store.read_many(snapshot.samples["blob"].to_pylist())
    assert list(blobs) == [(photos / name).read_bytes() for name in expected]
    assert snapshot.samples["size_bytes"].to_pylist() == [(photos / name).stat().st_size for name in expected]
    assert snapshot.added == 8
    assert snapshot.skipped.num_rows == 0


def test_nothing_is_written_beside_the_photos(photos, store, recipe):  # tdrussell/diffusion-pipe#71
    def state() -> dict[str, tuple[int, int]]:
        paths = [photos, *photos.rglob("*")]
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in paths}

    before = state()
    take_snapshot(recipe(photos), store)
    assert state() == before


def test_taking_it_again_stores_and_reads_nothing(photos, store, recipe, looks, settled, monkeypatch):
    first = take_snapshot(recipe(photos), store)
    before = sorted((store.root / "packs").iterdir())
    looks.clear()
    monkeypatch.setattr(ingest, "_content", None)  # a read of any photo would fail
    again = take_snapshot(recipe(photos), Store(store.root))
    assert (again.data_hash, again.added, looks) == (first.data_hash, 0, [])
    assert sorted((store.root / "packs").iterdir()) == before


def test_only_what_joined_is_stored_and_looked_at(photos, store, recipe, looks, settled, encoded, monkeypatch):
    take_snapshot(recipe(photos), store)
    looks.clear()
    read = []
    content = ingest._content
    monkeypatch.setattr(ingest, "_content", lambda path, state: read.append(path) or content(path, state))
    for number in range(8, 13):
        (photos / "dog" / f"{number}.png").write_bytes(encoded(number))
    more = take_snapshot(recipe(photos), Store(store.root))
    assert more.added == len(looks) == len(read) == 5
    assert more.samples.num_rows == 13


def test_a_photo_that_moved_is_not_stored_again(photos, store, recipe, looks):
    first = take_snapshot(recipe(photos), store)
    looks.clear()
    (photos / "cat" / "0.png").rename(photos / "cat" / "z.png")
    moved = take_snapshot(recipe(photos), store)
    assert (moved.added, looks) == (0, [])
    assert moved.data_hash != first.data_hash


def test_an_edit_that_keeps_size_and_time_is_noticed(photos, store, recipe, encoded, settled):
    path = photos / "cat" / "0.png"
    plain = [ppm(np.full((4, 4, 3), value, np.uint8)) for value in (1, 2)]
    path.write_bytes(plain[0])
    first = take_snapshot(recipe(photos), store)
    status = path.stat()
    path.write_bytes(plain[1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert take_snapshot(recipe(photos), store).data_hash != first.data_hash


def test_an_edit_right_after_the_snapshot_is_noticed_though_the_clock_stood_still(photos, store, recipe, monkeypatch):
    path = photos / "cat" / "0.png"
    path.write_bytes(ppm(np.full((4, 4, 3), 1, np.uint8)))
    frozen = ingest.state_of(path.stat())
    state_of = ingest.state_of
    same = (path.stat().st_size, path.stat().st_ino)
    monkeypatch.setattr(
        ingest, "state_of", lambda stat: frozen if (stat.st_size, stat.st_ino) == same else state_of(stat)
    )
    first = take_snapshot(recipe(photos), store)
    with path.open("r+b") as file:
        file.write(ppm(np.full((4, 4, 3), 2, np.uint8)))
    assert take_snapshot(recipe(photos), store).data_hash != first.data_hash


def test_times_and_modes_of_files_do_not_count(photos, store, recipe, tmp_path):
    first = take_snapshot(recipe(photos), store)
    copy = tmp_path / "copy"
    shutil.copytree(photos, copy)
    os.utime(copy / "cat" / "0.png", (0, 0))
    (copy / "cat" / "1.png").chmod(0o600)
    assert take_snapshot(recipe(copy), Store(tmp_path / "other")).data_hash == first.data_hash


def test_a_file_that_changes_while_it_is_read_is_refused(photos, store, recipe, monkeypatch):
    victim = photos / "cat" / "0.png"
    read = os.read

    def grow(descriptor: int, count: int) -> bytes:
        data = read(descriptor, count)
        if data == content:
            victim.write_bytes(data + b"more")
        return data

    content = victim.read_bytes()
    monkeypatch.setattr(os, "read", grow)
    with pytest.raises(SnapshotError, match=r"cat/0.png.*changed while it was read"):
        take_snapshot(recipe(photos), store)


def test_a_large_photo_is_stored_and_looked_at_like_any_other(photos, store, recipe, monkeypatch, looks, encoded):
    for module in (writer_module, ingest):
        monkeypatch.setattr(module, "LARGE_BYTES", 1000)
    large = encoded(99, size=(40, 30))
    (photos / "cat" / "large.png").write_bytes(large)
    snapshot = take_snapshot(recipe(photos), store)
    [digest] = [blob for name, blob in rows(snapshot, "id", "blob") if name == "cat/large.png"]
    assert store.read(digest) == large
    assert [path.name for path in (store.root / "large").iterdir()] == [digest.removeprefix("blake3:")]
    looks.clear()
    shutil.copy(photos / "cat" / "large.png", photos / "cat" / "larger.png")
    (photos / "cat" / "cut.png").write_bytes(large[:2000])
    with pytest.raises(SnapshotError, match=r"1 bad sample:\n  'cat/cut.png'"):
        take_snapshot(recipe(photos), store)
    assert len(looks) == 1
    assert len(list((store.root / "large").iterdir())) == 1


def test_chunks_do_not_show_in_the_result(photos, store, recipe, tmp_path, monkeypatch):
    expected = take_snapshot(recipe(photos), store)
    monkeypatch.setattr(ingest, "CHUNK_SAMPLES", 3)
    monkeypatch.setattr(ingest, "PIECE", 2)
    by_count = take_snapshot(recipe(photos), Store(tmp_path / "2"))
    monkeypatch.setattr(ingest, "CHUNK_BYTES", 1)
    by_bytes = take_snapshot(recipe(photos), Store(tmp_path / "3"))
    assert {by_count.data_hash, by_bytes.data_hash} == {expected.data_hash}
    assert by_count.added == by_bytes.added == 8


def test_the_order_in_which_a_source_yields_does_not_matter(listed, store, recipe, encoded, tmp_path):
    listed += [Sample(f"{n}", encoded(n), "ab"[n % 2], metadata={"n": n, "odd": bool(n % 2)}) for n in range(6)]
    first = take_snapshot(recipe(listed), store)
    listed.reverse()
    again = take_snapshot(recipe(listed), Store(tmp_path / "other"))
    assert again.data_hash == first.data_hash
    assert again.samples == first.samples
    assert again.metadata == first.metadata


def test_bytes_masks_groups_times_and_metadata_are_kept(listed, store, recipe, encoded):
    when = datetime(2024, 3, 17, 12, 30, tzinfo=UTC)
    masks = [encoded(10 + number) for number in range(2)]
    listed += [
        Sample(str(n), encoded(n), "a", group="g", timestamp=when, metadata={"x": n / 2, "s": None}, mask=masks[n])
        for n in range(2)
    ]
    snapshot = take_snapshot(recipe(listed), store)
    assert rows(snapshot, "group", "timestamp") == [("g", when)] * 2
    assert list(store.read_many(snapshot.samples["mask"].to_pylist())) == masks
    assert snapshot.metadata.to_pydict() == {"s": [None, None], "x": [0.0, 0.5]}
    assert snapshot.added == 4


def test_rows_without_pictures_are_samples_too(listed, store, recipe):
    listed += [Sample(str(n), None, "ab"[n % 2], metadata={"x": n}) for n in range(4)]
    snapshot = take_snapshot(recipe(listed), store)
    assert rows(snapshot, "blob", "size_bytes") == [(None, 0)] * 4
    assert load_snapshot(snapshot.data_hash, store).metadata.to_pydict() == {"x": [0, 1, 2, 3]}


def test_a_snapshot_is_read_back_as_it_was(photos, store, recipe):
    snapshot = take_snapshot(recipe(photos), store)
    again = load_snapshot(snapshot.data_hash, Store(store.root))
    assert again.samples.equals(snapshot.samples)
    assert again.metadata.equals(snapshot.metadata)
    assert again.skipped.equals(snapshot.skipped)
    manifest = json.loads((store.root / "snapshots" / snapshot.data_hash[7:] / "manifest.json").read_text())
    assert manifest["samples"] == 8
    assert manifest["data_hash"] == snapshot.data_hash
    assert manifest["source"]["_target_"] == "totalml.data.ImageFolder"
    assert manifest["source"]["root"] == str(photos)


def test_a_snapshot_that_was_tampered_with_is_refused(photos, store, recipe):
    import pyarrow.parquet as pq

    snapshot = take_snapshot(recipe(photos), store)
    folder = store.root / "snapshots" / snapshot.data_hash[7:]
    labels = snapshot.samples["label"].to_pylist()
    changed = snapshot.samples.set_column(3, "label", pa.array([*labels[1:], labels[0]]))
    pq.write_table(changed, folder / "samples.parquet")
    with pytest.raises(StoreError, match="no longer has the content of its name"):
        load_snapshot(snapshot.data_hash, store)
    (folder / "samples.parquet").write_bytes(b"?")
    with pytest.raises(StoreError, match="damaged"):
        load_snapshot(snapshot.data_hash, store)
    shutil.rmtree(folder)
    with pytest.raises(StoreError, match="not in the store"):
        load_snapshot(snapshot.data_hash, store)
    assert take_snapshot(recipe(photos), store).data_hash == snapshot.data_hash
    assert load_snapshot(snapshot.data_hash, store).samples.equals(snapshot.samples)


def test_blobs_that_were_lost_are_stored_again(photos, store, recipe, settled):
    first = take_snapshot(recipe(photos), store)
    for path in (store.root / "packs").glob("*.idx"):
        path.unlink()
    fresh = Store(store.root)
    assert take_snapshot(recipe(photos), fresh).added == 8
    assert len(list(fresh.read_many(first.samples["blob"].to_pylist()))) == 8


def test_a_source_that_knows_its_state_is_not_asked_twice(listed, store, recipe, encoded):
    listed += [Sample(str(n), encoded(n), "a") for n in range(2)]
    first = take_snapshot(recipe(listed, knows="v1"), store)
    listed[:] = [None]  # would fail
    again = take_snapshot(recipe(listed, knows="v1"), Store(store.root))
    assert (again.data_hash, again.added) == (first.data_hash, 0)
    assert again.samples.equals(first.samples)
    listed[:] = [Sample(str(n), encoded(n), "a") for n in range(3)]
    assert take_snapshot(recipe(listed, knows="v2"), store).samples.num_rows == 3
    assert take_snapshot(recipe(listed), store).samples.num_rows == 3


def test_a_remembered_snapshot_is_only_used_under_the_same_rules_and_whole(listed, store, recipe, encoded):
    listed += [Sample(str(n), encoded(n), "a") for n in range(2)]
    take_snapshot(recipe(listed, knows="v1"), store)
    with pytest.raises(SnapshotError, match=r"not in data\.labels"):
        take_snapshot(recipe(listed, knows="v1", labels=["b"]), store)
    for path in (store.root / "packs").iterdir():
        path.unlink()
    assert take_snapshot(recipe(listed, knows="v1"), Store(store.root)).added == 2


def test_other_settings_of_the_source_give_another_snapshot_of_the_same_files(photos, store, recipe, settled):
    first = take_snapshot(recipe(photos), store)
    grouped = take_snapshot(recipe(ImageFolder(root=str(photos), group_pattern="(cat|dog)")), store)
    assert set(grouped.samples["group"].to_pylist()) == {"cat", "dog"}
    assert grouped.data_hash != first.data_hash
    assert take_snapshot(recipe(photos), store).data_hash == first.data_hash


def test_a_blob_that_another_room_stored_is_looked_at_when_a_source_brings_it(photos, store, recipe, looks, settled):
    take_snapshot(recipe(photos), store)
    for path in (store.root / "packs").iterdir():
        path.unlink()
    again = Store(store.root)
    with again.writing() as writer:
        data = (photos / "cat" / "0.png").read_bytes()
        writer.add(blake3(data).digest(), data)
    looks.clear()
    assert take_snapshot(recipe(photos), again).added == 7
    assert len(looks) == 8


def test_a_picture_seen_under_a_wider_limit_is_refused_under_a_narrower_one(photos, store, recipe, settled):
    take_snapshot(recipe(photos), store)
    with pytest.raises(SnapshotError, match="8 bad samples"):
        take_snapshot(recipe(photos, max_megapixels=0.0001), store)


def test_progress_says_what_was_ignored_and_what_to_pin(photos, store, recipe, capsys):
    (photos / "cat" / ".DS_Store").write_bytes(b"x")
    snapshot = take_snapshot(recipe(photos), store, Progress("plain"))
    told = capsys.readouterr().err
    assert "ignored 1 hidden or system files: cat/.DS_Store" in told
    assert f"  snapshot: {snapshot.data_hash}" in told


def test_memory_does_not_grow_with_the_data(listed, store, recipe, monkeypatch):
    import tracemalloc

    def many():
        random = np.random.default_rng(0)
        for number in range(60):
            yield Sample(str(number), ppm(random.integers(0, 256, (400, 400, 3), dtype=np.uint8)), "a")

    monkeypatch.setattr(ingest, "CHUNK_BYTES", 2_000_000)
    listed.append(many)
    tracemalloc.start()
    take_snapshot(recipe(listed), store)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 15_000_000  # of 28.8 MB of pictures


def test_samples_whose_id_is_no_text_can_be_skipped(listed, store, recipe):
    listed += [Sample(name, None, "a") for name in ("1", "2", "\udcff", "\ud800", 7)]
    snapshot = take_snapshot(recipe(listed, on_bad_sample="skip"), store)
    assert snapshot.skipped["id"].to_pylist() == ["7", "\\ud800", "\\xff"]


def test_ten_thousand_samples_take_a_short_time(listed, store, recipe):
    listed += [Sample(f"{n}", None, "ab"[n % 2], metadata={"n": n}) for n in range(10_000)]
    started = time.process_time()
    take_snapshot(recipe(listed), store)
    assert time.process_time() - started < 5  # takes 0.2 s; a per-sample slip would show


def test_an_image_of_the_right_size_is_asked_of_a_mask(listed, store, recipe, encoded):
    listed += [Sample(str(n), encoded(n), "a", mask=encoded(9, size=(5, 5))) for n in range(2)]
    listed += [Sample(str(n), encoded(n), "a", mask=b"no picture") for n in (2, 3)]
    with pytest.raises(SnapshotError) as error:
        take_snapshot(recipe(listed), store)
    assert "'0': its mask has 5 x 5 px, the picture 12 x 10 px" in str(error.value)
    assert "'2': its mask: not a picture" in str(error.value)


def test_the_picture_of_a_sample_may_be_stored_in_any_format(listed, store, recipe, encoded):
    listed += [Sample(kind, encoded(n, kind), "a") for n, kind in enumerate(("PNG", "JPEG", "BMP"))]
    snapshot = take_snapshot(recipe(listed), store)
    assert Image.open(BytesIO(store.read(snapshot.samples["blob"][0].as_py()))).format == "BMP"
