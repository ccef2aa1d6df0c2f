import errno
import os
import re
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import ValidationError

from totalml.data import BadSample, Ignored, Sample, split_samples, take_snapshot
from totalml.data.folder import ImageFolder
from totalml.errors import SnapshotError
from totalml.recipe import SplitRecipe
from totalml.store import stat_cache


def found(root: Path, kind: type, **options: object) -> list:
    return [sample for sample in ImageFolder(root=str(root), **options).samples() if isinstance(sample, kind)]


def reasons(root: Path, **options: object) -> dict[str, str]:
    return {sample.id: sample.reason for sample in found(root, BadSample, **options)}


def put(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def test_the_label_is_the_folder_and_the_id_the_path(tmp_path):
    put(tmp_path, "cat/1.jpg", "cat/2023/may/1.jpg", "dog/1.jpg")
    samples = found(tmp_path, Sample)
    assert [(sample.id, sample.label) for sample in samples] == [
        ("cat/1.jpg", "cat"),
        ("cat/2023/may/1.jpg", "cat"),
        ("dog/1.jpg", "dog"),
    ]
    assert all(sample.image == tmp_path / sample.id for sample in samples)


def test_the_order_does_not_depend_on_the_file_system(tmp_path, monkeypatch):
    put(tmp_path, *(f"{label}/{number}.jpg" for label in "ba" for number in (3, 1, 2)))
    listed = os.scandir

    class Backwards:
        def __init__(self, path):
            with listed(path) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=True)

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *_):
            pass

    forwards = found(tmp_path, Sample)
    monkeypatch.setattr(os, "scandir", Backwards)
    assert found(tmp_path, Sample) == forwards


@pytest.mark.parametrize("name", ["with space.jpg", "new\nline.jpg", "пинта.jpg", "日本/ビール.jpg", "q'\"?*%20.jpg"])
def test_any_name_that_is_text_is_an_id(tmp_path, name):
    put(tmp_path, f"cat/{name}")
    assert [sample.id for sample in found(tmp_path, Sample)] == [f"cat/{name}"]


def test_a_letter_with_an_accent_has_one_spelling(tmp_path):
    put(tmp_path, "cafe\u0301/e\u0301.jpg")
    [sample] = found(tmp_path, Sample)
    assert (sample.id, sample.label) == ("caf\u00e9/\u00e9.jpg", "caf\u00e9")
    assert sample.image.read_bytes() == b"x"


def test_a_name_that_is_no_text_is_bad(tmp_path):
    put(tmp_path, "cat/1.jpg")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/cat/\xff.jpg")).write_bytes(b"")
    assert reasons(tmp_path) == {"cat/\\xff.jpg": "the name is not valid UTF-8; rename it"}


def test_what_operating_systems_leave_behind_is_ignored_and_reported(tmp_path):
    junk = ["cat/.DS_Store", "cat/Thumbs.db", "desktop.ini", ".git/config", "__MACOSX/cat/1.jpg", "cat/._1.jpg"]
    junk.append(".ipynb_checkpoints/1.jpg")  # pytorch/vision#2831
    put(tmp_path, "cat/1.jpg", *junk)
    assert [sample.id for sample in found(tmp_path, Sample)] == ["cat/1.jpg"]
    assert {sample.id for sample in found(tmp_path, Ignored)} == {
        "cat/.DS_Store",
        "cat/Thumbs.db",
        "desktop.ini",
        ".git",
        ".ipynb_checkpoints",
        "__MACOSX",
        "cat/._1.jpg",
    }
    assert reasons(tmp_path) == {}


def test_a_file_beside_the_class_folders_is_bad(tmp_path):
    put(tmp_path, "cat/1.jpg", "2.jpg")
    assert "beside the class folders" in reasons(tmp_path)["2.jpg"]


def test_an_empty_class_folder_is_bad(tmp_path):
    put(tmp_path, "cat/1.jpg")
    (tmp_path / "dog").mkdir()
    assert "empty" in reasons(tmp_path)["dog/"]


@pytest.mark.parametrize("names", [[], ["1.jpg", "2.jpg"], [".git/config"]])
def test_a_root_without_class_folders_is_refused(tmp_path, names):
    put(tmp_path, *names)
    with pytest.raises(SnapshotError, match=r"no class folders in .*<label>/photo.jpg"):
        found(tmp_path, Sample)


@pytest.mark.parametrize(("name", "what"), [("nowhere", "does not exist"), ("file", "is a file")])
def test_a_root_that_is_no_folder_is_refused_and_the_setting_named(tmp_path, name, what):
    put(tmp_path, "file")
    with pytest.raises(SnapshotError, match=rf"{what}.*data.source.root=/path/to/folder"):
        found(tmp_path / name, Sample)


def test_a_root_may_be_relative_to_the_working_directory(tmp_path, monkeypatch):
    put(tmp_path, "photos/cat/1.jpg")
    monkeypatch.chdir(tmp_path)
    assert found(Path("photos"), Sample)[0].image == tmp_path / "photos/cat/1.jpg"


def test_links_that_stay_below_the_root_are_followed(tmp_path):
    put(tmp_path, "cat/1.jpg", "store/2.jpg")
    (tmp_path / "cat" / "link.jpg").symlink_to("1.jpg")
    (tmp_path / "dog").symlink_to(tmp_path / "store")
    assert [sample.id for sample in found(tmp_path, Sample)] == [
        "cat/1.jpg",
        "cat/link.jpg",
        "dog/2.jpg",
        "store/2.jpg",
    ]


def test_links_out_of_the_root_are_refused(tmp_path):
    root = put(tmp_path, "root/cat/1.jpg", "outside/2.jpg", "root2/3.jpg") / "root"
    (root / "cat" / "file.jpg").symlink_to(tmp_path / "outside" / "2.jpg")
    (root / "cat" / "alike.jpg").symlink_to(tmp_path / "root2" / "3.jpg")
    (root / "cat" / "folder").symlink_to("../../outside")
    (root / "hop").symlink_to("cat/folder")
    told = reasons(root)
    assert set(told) == {"cat/file.jpg", "cat/alike.jpg", "cat/folder", "hop"}
    assert all("leaves the root" in reason for reason in told.values())
    assert [sample.id for sample in found(root, Sample)] == ["cat/1.jpg"]


def test_links_in_a_circle_and_to_nothing_are_bad(tmp_path):
    put(tmp_path, "cat/a/1.jpg")
    (tmp_path / "cat" / "a" / "up").symlink_to("..")
    (tmp_path / "cat" / "self").symlink_to("self")
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "cat" / "gone.jpg").symlink_to("nothing.jpg")
    told = reasons(tmp_path)
    assert "points back" in told["cat/a/up"]
    assert set(told) == {"cat/a/up", "cat/self", "cat/gone.jpg", "self"}


def test_the_root_itself_may_be_a_link(tmp_path):
    put(tmp_path, "real/cat/1.jpg")
    (tmp_path / "root").symlink_to("real")
    assert [sample.id for sample in found(tmp_path / "root", Sample)] == ["cat/1.jpg"]


def test_a_pipe_is_bad_and_does_not_hang(tmp_path):
    put(tmp_path, "cat/1.jpg")
    os.mkfifo(tmp_path / "cat" / "pipe.jpg")
    assert reasons(tmp_path) == {"cat/pipe.jpg": "is neither a file nor a folder"}


def test_an_unreadable_folder_is_bad(tmp_path, monkeypatch):
    put(tmp_path, "cat/1.jpg", "dog/2.jpg")
    listed = os.scandir

    def refuse(path):
        if Path(path).name == "dog":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert reasons(tmp_path) == {"dog/": "the folder cannot be read: Permission denied"}
    monkeypatch.setattr(os, "scandir", lambda path: refuse("dog"))
    with pytest.raises(SnapshotError, match="cannot be read: Permission denied"):
        found(tmp_path, Sample)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_bad(tmp_path):
    put(tmp_path, "cat/1.jpg", "dog/2.jpg")
    (tmp_path / "dog").chmod(0)
    try:
        assert "dog/" in reasons(tmp_path)
    finally:
        (tmp_path / "dog").chmod(0o700)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: put(root, "cat/2.jpg"),
        lambda root: put(root, "cat/.hidden"),
        lambda root: (root / "cat" / "1.jpg").unlink(),
        lambda root: (root / "cat" / "1.jpg").rename(root / "cat" / "3.jpg"),
        lambda root: (root / "cat" / "1.jpg").write_bytes(b"y"),
        lambda root: (root / "cat" / "1.jpg").chmod(0o600),
        lambda root: os.utime(root / "cat" / "1.jpg"),
        lambda root: (root / "dog").mkdir(),
    ],
)
def test_the_fingerprint_changes_with_anything_below_the_root(tmp_path, monkeypatch, change):
    monkeypatch.setattr(stat_cache, "RACY_NS", 0)
    put(tmp_path, "cat/1.jpg", "cat/0.jpg")
    source = ImageFolder(root=str(tmp_path))
    before = source.fingerprint()
    assert before == source.fingerprint() is not None
    change(tmp_path)
    assert source.fingerprint() != before


def test_a_folder_with_a_file_that_was_just_written_has_no_fingerprint(tmp_path):
    put(tmp_path, "cat/1.jpg")
    assert ImageFolder(root=str(tmp_path)).fingerprint() is None


def test_a_pattern_finds_the_group(tmp_path):
    put(tmp_path, "cat/pub-12_1.jpg", "cat/pub-12_2.jpg", "cat/other.jpg")
    samples = found(tmp_path, Sample, group_pattern=r"pub-(\d+)")
    assert [sample.group for sample in samples] == ["12", "12"]
    assert "finds no group" in reasons(tmp_path, group_pattern=r"pub-(\d+)")["cat/other.jpg"]


@pytest.mark.parametrize("pattern", ["(", "none", "(a)(b)"])
def test_a_pattern_that_finds_no_one_group_is_refused(pattern):
    with pytest.raises(ValidationError, match=r"regular expression|exactly one"):
        ImageFolder(root=".", group_pattern=pattern)


SPLIT = ["train/cat/1.jpg", "Val/cat/2.jpg", "testing/dog/3.jpg"]


def mend(root: Path) -> str:
    with pytest.raises(SnapshotError) as told:
        found(root, Sample)
    with pytest.raises(SnapshotError, match=re.escape(str(told.value))):
        ImageFolder(root=str(root)).fingerprint()
    return str(told.value)


def test_a_folder_that_is_split_already_stops_with_the_way_to_keep_the_split(tmp_path):
    told = mend(put(tmp_path, *SPLIT, "labels.csv"))  # huggingface/datasets#4015
    assert "Val, testing and train name splits, no labels" in told
    assert "To keep the split: data.source.split_folders=true data.split.by=column data.split.column=split;" in told
    assert "anew: data.source.split_folders=true; if they are labels: data.source.split_folders=false" in told


def test_a_split_that_lacks_one_of_three_says_which(tmp_path):
    told = mend(put(tmp_path, "train/cat/1.jpg", "test/cat/2.jpg", "extra/cat/3.jpg"))
    assert f"move some photos to {tmp_path}/validation/<label>/, because a run needs all three" in told


def test_a_lone_folder_of_training_photos_is_named_as_the_root(tmp_path):
    assert f"set data.source.root={tmp_path}/training;" in mend(put(tmp_path, "training/cat/1.jpg"))


def test_a_split_without_labels_is_told(tmp_path):
    told = mend(put(tmp_path, "train/1.jpg", "test/2.jpg"))
    assert f"no folders of labels lie in test and train; expected {tmp_path}/test/<label>/photo.jpg" in told


def test_split_folders_give_the_split_and_the_label_below(tmp_path):
    put(tmp_path, *SPLIT, "extra/cat/4.jpg", "5.jpg", "train/6.jpg", "train/cat/deep/7.jpg")
    samples = found(tmp_path, Sample, split_folders=True)
    assert [(sample.id, sample.label, sample.metadata) for sample in samples] == [
        ("Val/cat/2.jpg", "cat", {"split": "validation"}),
        ("testing/dog/3.jpg", "dog", {"split": "test"}),
        ("train/cat/1.jpg", "cat", {"split": "train"}),
        ("train/cat/deep/7.jpg", "cat", {"split": "train"}),
    ]
    told = reasons(tmp_path, split_folders=True)
    assert set(told) == {"extra/cat/4.jpg", "5.jpg", "train/6.jpg"}
    assert "no folder named train" in told["5.jpg"]
    assert "beside the class folders" in told["train/6.jpg"]


def test_folders_named_like_splits_may_be_labels(tmp_path):
    put(tmp_path, *SPLIT)
    assert {sample.label for sample in found(tmp_path, Sample, split_folders=False)} == {"train", "Val", "testing"}
    put(tmp_path / "vehicles", "train/1.jpg", "bus/2.jpg")
    assert {sample.label for sample in found(tmp_path / "vehicles", Sample)} == {"train", "bus"}


def test_the_folders_decide_the_split_where_the_recipe_says_so(tmp_path, store, recipe, encoded):
    names = [f"{split}/{label}/{n}.png" for split in ("train", "val", "test") for label in ("a", "b") for n in range(2)]
    root = put(tmp_path / "root", *names)
    for number, name in enumerate(names):
        (root / name).write_bytes(encoded(number))
    snapshot = take_snapshot(recipe(ImageFolder(root=str(root), split_folders=True)), store)
    splits = split_samples(SplitRecipe(by="column", column="split"), snapshot)
    for split, folder in (("train", "train"), ("validation", "val"), ("test", "test")):
        ids = snapshot.samples["id"].take(pa.array(getattr(splits, split))).to_pylist()
        assert ids == sorted(name for name in names if name.startswith(folder))
