"""Every kind of bad input, from a folder to the message or the list of skipped samples."""

import errno
import os
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from totalml.data import decode, load_snapshot, take_snapshot
from totalml.data.table import ImageTable
from totalml.errors import SnapshotError, StoreError
from totalml.store import atomic


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    sink = BytesIO()
    image.save(sink, kind, **options)
    return sink.getvalue()


def bomb(_) -> bytes:
    return save(Image.new("1", (20_000, 20_000)), "PNG")


def moving(_) -> bytes:
    frames = [Image.new("RGB", (8, 8), (number * 20, 0, 0)) for number in range(12)]
    return save(frames[0], "GIF", save_all=True, append_images=frames[1:])


BAD_FILES = {
    "truncated": (lambda encoded: encoded(50, "JPEG", (300, 200))[:20_000], "truncated"),
    "zero bytes": (lambda encoded: b"", "the file is empty"),
    "no image": (lambda encoded: b"shopping list: milk, stout\n", "not a picture"),
    "bomb": (bomb, "400.0 megapixels"),
    "moving": (moving, "12 frames"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_stops_the_snapshot_and_is_named(kind, photos, store, recipe, encoded):
    make, reason = BAD_FILES[kind]
    (photos / "cat" / "bad one.jpg").write_bytes(make(encoded))
    with pytest.raises(SnapshotError, match=f"1 bad sample:\n  'cat/bad one.jpg': .*{reason}") as error:
        take_snapshot(recipe(photos), store)
    assert "data.on_bad_sample=skip" in str(error.value)
    assert list((store.root / "snapshots").iterdir()) == []


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_can_be_skipped_and_is_recorded(kind, photos, store, recipe, encoded):
    without = take_snapshot(recipe(photos), store)
    make, reason = BAD_FILES[kind]
    (photos / "cat" / "bad one.jpg").write_bytes(make(encoded))
    snapshot = take_snapshot(recipe(photos, on_bad_sample="skip"), store)
    [skipped] = snapshot.skipped.to_pylist()
    assert skipped["id"] == "cat/bad one.jpg"
    assert reason in skipped["reason"]
    # What the model sees is the same, so the name is; the record on disk is that of the latest call.
    assert snapshot.data_hash == without.data_hash
    assert load_snapshot(snapshot.data_hash, store).skipped.equals(snapshot.skipped)
    assert snapshot.added == 0


def unusual(encoded, tmp: Path) -> dict[str, bytes]:
    ramp = Image.fromarray(np.arange(0, 240, dtype=np.uint8).reshape(10, 24)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = np.linspace(0, 65535, 240).astype(np.uint16).reshape(10, 24)
    return {
        "cmyk.jpg": save(ramp.convert("CMYK"), "JPEG"),
        "sixteen bit.png": save(Image.fromarray(wide), "PNG"),
        "palette.png": save(ramp.quantize(8), "PNG"),
        "transparent palette.png": save(ramp.quantize(8), "PNG", transparency=0),
        "alpha.png": save(Image.new("RGBA", (24, 10), (9, 9, 9, 99)), "PNG"),
        "rotated.jpg": save(ramp, "JPEG", exif=exif),
        "new\nline.jpg": save(ramp, "JPEG", quality=40),
        "пинта 一杯.jpg": save(ramp, "JPEG", quality=30),
        "no ending": save(ramp, "PNG"),
    }


def test_unusual_pictures_and_names_are_read_properly(photos, store, recipe, encoded, tmp_path):
    pictures = unusual(encoded, tmp_path)
    for name, data in pictures.items():
        (photos / "cat" / name).write_bytes(data)
    snapshot = take_snapshot(recipe(photos), store)
    digests = dict(zip(*(snapshot.samples[name].to_pylist() for name in ("id", "blob")), strict=True))
    for name, data in pictures.items():
        stored = store.read(digests[f"cat/{name}"])
        assert stored == data
        assert decode(stored, 100).size == ((10, 24) if name == "rotated.jpg" else (24, 10))


def test_a_link_out_of_the_root_is_named(photos, store, recipe, encoded, tmp_path):
    (tmp_path / "secret.png").write_bytes(encoded(77))
    (photos / "cat" / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(SnapshotError, match=r"'cat/link.png': the link leaves the root"):
        take_snapshot(recipe(photos), store)


def test_the_same_content_with_two_labels_is_named_as_one_group(photos, store, recipe):
    shutil.copy(photos / "cat" / "0.png", photos / "dog" / "copy.png")
    shutil.copy(photos / "cat" / "0.png", photos / "cat" / "same label.png")
    with pytest.raises(SnapshotError, match="3 bad samples") as error:
        take_snapshot(recipe(photos), store)
    names = "'cat/0.png (cat)', 'cat/same label.png (cat)', 'dog/copy.png (dog)'"
    assert str(error.value).count(f"the same content has several labels: {names}") == 3
    skipped = take_snapshot(recipe(photos, on_bad_sample="skip"), store)
    assert skipped.samples.num_rows == 7


def test_the_same_content_with_one_label_is_no_fault(photos, store, recipe):
    shutil.copy(photos / "cat" / "0.png", photos / "cat" / "copy.png")
    snapshot = take_snapshot(recipe(photos), store)
    assert (snapshot.samples.num_rows, snapshot.added) == (9, 8)


def test_a_label_with_one_sample_is_named(photos, store, recipe, encoded):
    (photos / "emu").mkdir()
    (photos / "emu" / "1.png").write_bytes(encoded(70))
    with pytest.raises(SnapshotError, match=r"'emu/1.png': label 'emu' has only this usable sample"):
        take_snapshot(recipe(photos), store)
    (photos / "emu" / "2.png").write_bytes(encoded(71)[:-30])
    with pytest.raises(SnapshotError, match="2 bad samples"):
        take_snapshot(recipe(photos), store)
    skipped = take_snapshot(recipe(photos, on_bad_sample="skip"), store)
    assert skipped.skipped["id"].to_pylist() == ["emu/1.png", "emu/2.png"]


def test_a_label_with_one_sample_that_reads_like_another_is_told_with_that_one(photos, store, recipe, encoded):
    (photos / "dgo").mkdir()
    (photos / "dgo" / "1.png").write_bytes(encoded(70))
    with pytest.raises(SnapshotError, match=r"label 'dgo' has only this .* drop the label; did you mean 'dog'\?"):
        take_snapshot(recipe(photos), store)


def test_a_label_that_the_recipe_does_not_know_is_named_with_the_meant_one(photos, store, recipe):
    (photos / "dog").rename(photos / "dgo")
    with pytest.raises(SnapshotError, match=r"label 'dgo' is not in data.labels \['cat', 'dog'\]; did you mean 'dog'"):
        take_snapshot(recipe(photos, labels=["cat", "dog"]), store)


def test_a_label_of_the_recipe_that_no_sample_has_is_named(photos, store, recipe):
    with pytest.raises(SnapshotError, match=r"no sample has the label 'emu'.*\['cat', 'dog'\]"):
        take_snapshot(recipe(photos, labels=["cat", "dog", "emu"]), store)


@pytest.mark.parametrize("twin", ["CAT/0.png", "cat/0.PNG"])
def test_names_that_differ_only_in_case_are_refused(photos, store, recipe, encoded, twin):
    (photos / twin).parent.mkdir(exist_ok=True)
    (photos / twin).write_bytes(encoded(60))
    if twin.startswith("CAT"):
        for number in (61, 62):
            (photos / "CAT" / f"{number}.png").write_bytes(encoded(number))
    with pytest.raises(SnapshotError, match=r"2 bad samples") as error:
        take_snapshot(recipe(photos), store)
    assert f"the id differs from '{twin}' only in upper and lower case" in str(error.value)


def test_names_that_are_one_after_normalisation_are_refused(photos, store, recipe, encoded):
    for number, name in enumerate(("caf\u00e9.png", "cafe\u0301.png")):
        (photos / "cat" / name).write_bytes(encoded(60 + number))
    with pytest.raises(SnapshotError, match=r"2 bad samples.*\n.*the id stands 2 times"):
        take_snapshot(recipe(photos), store)


def test_a_missing_file_of_a_table_is_named(photos, store, recipe):
    lines = ["file,label", *(f"cat/{number}.png,a" for number in range(4)), "cat/gone.png,a"]
    (photos / "table.csv").write_text("\n".join(lines))
    source = ImageTable(table=str(photos / "table.csv"))
    with pytest.raises(SnapshotError, match=r"1 bad sample:\n  'cat/gone.png': the file is missing"):
        take_snapshot(recipe(source), store)
    assert take_snapshot(recipe(source, on_bad_sample="skip"), store).samples.num_rows == 4


def test_a_file_that_a_table_lists_twice_is_named(photos, store, recipe):
    lines = ["file,label", *(f"cat/{number}.png,a" for number in range(4)), "./cat/0.png,a"]
    (photos / "table.csv").write_text("\n".join(lines))
    with pytest.raises(SnapshotError, match=r"2 bad samples:\n  'cat/0.png': the id stands 2 times"):
        take_snapshot(recipe(ImageTable(table=str(photos / "table.csv"))), store)


def test_a_file_that_a_table_lists_under_two_labels_is_named_with_both(photos, store, recipe):
    lines = ["file,label", *(f"cat/{number}.png,a" for number in range(4)), "cat/0.png,b", "cat/1.png,b"]
    (photos / "table.csv").write_text("\n".join(lines))
    with pytest.raises(SnapshotError, match=r"'cat/0.png': the id stands 2 times .* the labels 'a', 'b'; keep one"):
        take_snapshot(recipe(ImageTable(table=str(photos / "table.csv"))), store)


def test_an_empty_folder_is_refused(tmp_path, store, recipe):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SnapshotError, match="no class folders"):
        take_snapshot(recipe(tmp_path / "empty"), store)


def test_empty_class_folders_are_refused(tmp_path, store, recipe):
    (tmp_path / "root" / "cat").mkdir(parents=True)
    for choice in ("fail", "skip"):
        with pytest.raises(SnapshotError, match="'cat/': the folder is empty"):
            take_snapshot(recipe(tmp_path / "root", on_bad_sample=choice), store)


def test_an_unreadable_folder_is_named(photos, store, recipe, monkeypatch):
    listed = os.scandir

    def refuse(path):
        if Path(path).name == "dog":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SnapshotError, match=r"'dog/': the folder cannot be read: Permission denied"):
        take_snapshot(recipe(photos), store)


def test_an_unreadable_file_is_named(photos, store, recipe, monkeypatch):
    opened = os.open

    def refuse(path: str, *rest: int, **options: object) -> int:
        if str(path).endswith("0.png"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, *rest, **options)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SnapshotError, match=r"'cat/0.png': the file cannot be read: Permission denied"):
        take_snapshot(recipe(photos), store)


def full(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_is_told_and_the_next_call_finishes(photos, store, recipe, monkeypatch, call):
    monkeypatch.setattr(os, call, full)
    with pytest.raises(StoreError, match=rf"{store.root}.*No space left.*bytes were to be written"):
        take_snapshot(recipe(photos), store)
    monkeypatch.undo()
    assert list((store.root / "packs").iterdir()) == []
    assert list((store.root / "snapshots").iterdir()) == []
    assert take_snapshot(recipe(photos), store).added == 8


def test_a_disk_that_fills_up_between_blobs_and_tables_leaves_no_snapshot(photos, store, recipe, monkeypatch):
    syncs = []

    def sync(descriptor: int) -> None:
        syncs.append(descriptor)
        if len(syncs) > 5:
            full()

    monkeypatch.setattr(atomic, "sync", sync)
    with pytest.raises(StoreError, match="No space left"):
        take_snapshot(recipe(photos), store)
    monkeypatch.undo()
    assert list((store.root / "snapshots").iterdir()) == []
    again = take_snapshot(recipe(photos), store)
    assert load_snapshot(again.data_hash, store).samples.num_rows == 8


def test_a_long_list_of_bad_samples_is_cut_and_written_whole_to_a_file(tmp_path, store, recipe):
    root = tmp_path / "root"
    (root / "cat").mkdir(parents=True)
    for number in range(60):
        (root / "cat" / f"{number:02}.txt").write_text(f"{number}")
    with pytest.raises(SnapshotError, match=r"60 bad samples.*") as error:
        take_snapshot(recipe(root), store)
    lines = str(error.value).splitlines()
    assert sum(line.startswith("  'cat/") for line in lines) == 50
    [path] = [line.rpartition(" ")[2] for line in lines if "10 more" in line]
    assert len(Path(path).read_text().splitlines()) == 60
