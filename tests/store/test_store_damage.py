"""Whatever happens to a file in the store, the next run comes to the same, or says how to mend it."""

import json
import os
import re
import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from tests.features.drawn import SIZE, save_photos
from totalml import runner
from totalml.compose import compose_recipe
from totalml.data import ImageFolder, load_snapshot, take_snapshot
from totalml.errors import StoreError
from totalml.features import build_features
from totalml.progress import Progress
from totalml.recipe import DataRecipe, FeaturesRecipe, ImageFeatures
from totalml.store import Store
from totalml.task import Classification

T = TypeVar("T")

PROJECT = Path(__file__).parents[2]
SMALL = (
    "+recipe=guinness_smoke",
    "evaluation=quick",
    "data.source.count=60",
    "data.source.size_px=32",
    "features.image.size=24",
    "data.split.salt=small",
    "training.batch_size=16",
)

SIZES = SIZE, SIZE + 1  # what is decoded already, and what must be decoded now
LARGE_BYTES = 3000  # so that one of the photos is a large blob
KINDS = {
    "pack": "packs/*.pack",
    "index": "packs/*.idx",
    "large blob": "large/*",
    "samples": "snapshots/*/samples.parquet",
    "metadata": "snapshots/*/metadata.parquet",
    "skipped": "snapshots/*/skipped.parquet",
    "manifest": "snapshots/*/manifest.json",
    "pixels": "features/*/segments/*/pixels.u8",
    "rows": "features/*/segments/*/blobs.txt",
    "segment": "features/*/segments/*/segment.json",
    "fingerprint": "fingerprints/*.json",
    "stat": "stat/*.bin",
}


def flip(file: Path, place: float) -> None:
    content = bytearray(file.read_bytes())
    content[int(place * (len(content) - 1))] ^= 1
    file.write_bytes(content)


DAMAGES = {
    "first byte": lambda file: flip(file, 0),
    "a byte inside": lambda file: flip(file, 0.6),
    "last byte": lambda file: flip(file, 1),
    "cut": lambda file: os.truncate(file, file.stat().st_size // 2),
    "emptied": lambda file: os.truncate(file, 0),
    "gone": lambda file: file.unlink(),
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    save_photos(root, range(6), "good")
    save_photos(root, range(6, 10), "bad")
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    (root / "bad" / "large.ppm").write_bytes(b"P6 40 40 255\n" + noise.tobytes())
    (root / "bad" / "broken.png").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="module", autouse=True)
def small_limits():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("totalml.data.ingest.LARGE_BYTES", LARGE_BYTES)
        patch.setattr("totalml.store.writer.LARGE_BYTES", LARGE_BYTES)
        patch.setattr("totalml.store.stat_cache.RACY_NS", -(10**12))  # new files are remembered at once
        yield


def result(photos: Path, root: Path, size: int = SIZE) -> tuple[str, bytes, list[str], list[str]]:
    """What a run would train on: data hash, pixels, labels, and what was left out."""
    store = Store(root)
    data = DataRecipe(source=ImageFolder(root=str(photos)), on_bad_sample="skip")
    snapshot = take_snapshot(data, store, Progress("plain"))
    features = build_features(
        FeaturesRecipe(image=ImageFeatures(size=size)), data, Classification(), snapshot, store, Progress("plain")
    )
    pixels = features.images.gather(np.arange(len(features)))
    return (
        snapshot.data_hash,
        pixels.tobytes(),
        snapshot.samples["label"].to_pylist(),
        snapshot.skipped["id"].to_pylist(),
    )


@pytest.fixture(scope="module")
def kept(photos, small_limits, tmp_path_factory):
    """A store after a run, and for each size of features what a run comes to."""
    roots = {size: tmp_path_factory.mktemp("kept") for size in SIZES}
    expected = {size: result(photos, root, size) for size, root in roots.items()}
    return roots[SIZE], expected


def follow(error: StoreError) -> None:
    """Do what the message says."""
    (place,) = re.findall(r"(/\S+) is damaged. Delete it", str(error)) or re.findall(r"Delete (/\S+)", str(error))
    if Path(place).is_dir():
        shutil.rmtree(place)
    else:
        Path(place).unlink()


def with_mend(work: Callable[[], T]) -> tuple[T, StoreError | None]:
    """What the work gives, once the mend is followed that it may ask for, and what it asked."""
    try:
        return work(), None
    except StoreError as error:
        told = error
    follow(told)
    return work(), told


@pytest.mark.parametrize("remembers", [True, False], ids=["known source", "source to look at"])
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_store_gives_the_same_or_says_the_mend(
    kept, photos, tmp_path, monkeypatch, capsys, kind, damage, remembers
):
    if not remembers:
        monkeypatch.setattr(ImageFolder, "fingerprint", lambda self: None)
    root, expected = kept
    shutil.copytree(root, tmp_path / "store")
    file = next(path for path in sorted((tmp_path / "store").glob(KINDS[kind])) if path.stat().st_size)
    DAMAGES[damage](file)
    for size in SIZES:
        found, told = with_mend(lambda size=size: result(photos, tmp_path / "store", size))
        assert found == expected[size]
        if told:
            assert told.exit_code == 5
            assert file.name in str(told) or file.parent.name in str(told)
    if kind in ("pixels", "rows", "segment"):
        assert "decoded again" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["samples", "metadata", "skipped", "manifest"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_snapshot_is_read_as_it_was_or_not_at_all(kept, photos, tmp_path, kind, damage):
    root, expected = kept
    shutil.copytree(root, tmp_path / "store")
    data_hash, undamaged = expected[SIZE][0], load_snapshot(expected[SIZE][0], Store(root))
    (file,) = (tmp_path / "store").glob(KINDS[kind])
    DAMAGES[damage](file)
    if kind == "manifest" and damage == "gone":
        with pytest.raises(StoreError, match="is not in the store"):
            load_snapshot(data_hash, Store(tmp_path / "store"))
        result(photos, tmp_path / "store")

    try:
        read = load_snapshot(data_hash, Store(tmp_path / "store"))
    except StoreError as error:
        follow(error)
        result(photos, tmp_path / "store")
        read = load_snapshot(data_hash, Store(tmp_path / "store"))
    assert read.samples.equals(undamaged.samples)
    assert read.metadata.equals(undamaged.metadata)
    assert read.skipped.equals(undamaged.skipped)


def test_no_flipped_bit_in_the_list_of_what_was_skipped_goes_unnoticed(kept, tmp_path):
    root, expected = kept
    shutil.copytree(root, tmp_path / "store")
    undamaged = load_snapshot(expected[SIZE][0], Store(root)).skipped
    (file,) = (tmp_path / "store").glob(KINDS["skipped"])
    content = file.read_bytes()
    for place in range(0, len(content), 3):
        file.write_bytes(content)
        flip(file, place / (len(content) - 1))
        try:
            read = load_snapshot(expected[SIZE][0], Store(tmp_path / "store")).skipped
        except StoreError:
            continue
        assert read.equals(undamaged)


def representatives(store: Path) -> dict[str, Path]:
    """One file of each other kind that a run leaves; names made of digests count as one kind."""
    files = [path for path in sorted(store.rglob("*")) if path.is_file() and path.stat().st_size]
    kinds = {re.sub(r"[0-9a-f]{16,}", "*", path.relative_to(store).as_posix()): path for path in files}
    known = [*KINDS.values(), "locks/*"]
    return {kind: path for kind, path in kinds.items() if not any(fnmatch(kind, pattern) for pattern in known)}


def test_a_flipped_byte_in_any_other_file_that_a_run_leaves_changes_no_later_run(tmp_path, capsys):
    def run(store: Path, runs: str) -> dict[str, str]:
        overrides = [*SMALL, f"runtime.store={store}", f"runtime.runs={tmp_path / runs}", "runtime.progress=plain"]
        return json.loads((runner.run(compose_recipe(PROJECT, overrides)) / "run.json").read_text())["outputs"]

    expected = run(tmp_path / "kept", "first")
    kinds = representatives(tmp_path / "kept")
    assert len(kinds) >= 7
    for number, (kind, file) in enumerate(kinds.items()):
        store = tmp_path / f"store{number}"
        shutil.copytree(tmp_path / "kept", store)
        damaged = store / file.relative_to(tmp_path / "kept")
        flip(damaged, 0.5)
        capsys.readouterr()
        found, told = with_mend(lambda store=store, number=number: run(store, f"runs{number}"))
        assert found == expected, kind
        if kind.startswith("stages/") and damaged.name != "stage.json":  # of which only the digests are read
            assert "is done again" in capsys.readouterr().err, kind
        if told:
            assert damaged.name in str(told) or damaged.parent.name in str(told), kind
