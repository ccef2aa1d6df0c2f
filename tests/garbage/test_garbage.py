"""Nothing that a run, a pin or an alias reaches is ever removed; what nothing reaches goes."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.drawn import save_photos
from tests.garbage.planted import KEY, OLD, Planted
from totalml import runner
from totalml.cli import Parser, main
from totalml.compose import compose_recipe
from totalml.data import ImageFolder, load_snapshot, take_snapshot
from totalml.errors import RecipeError, StoreError
from totalml.garbage import collect, store_gc
from totalml.identity import PREFIX, short
from totalml.recipe import DataRecipe
from totalml.registry import Aliases
from totalml.release.bundle import new_folder, open_bundle, save_bundle
from totalml.store import Store
from totalml.store.locks import locked_if_free

REPOSITORY = Path(__file__).parents[2]
SMALL = ("+recipe=guinness_smoke", "evaluation=quick", "data.source.count=60", "data.split.salt=small")
REACHED = ("run", "pin", "alias", "use")
OTHER = "blake3:" + "cd" * 32
SNAPSHOTS = st.lists(
    st.tuples(st.sets(st.integers(0, 12), min_size=2, max_size=5), st.sampled_from([*REACHED, "nothing", "nothing"])),
    min_size=1,
    max_size=5,
    unique_by=lambda drawn: frozenset(drawn[0]),
)


@pytest.fixture
def planted(tmp_path) -> Planted:
    return Planted(tmp_path)


def clean(planted: Planted, *arguments: str) -> int:
    parser = Parser()
    store_gc.configure(parser)
    return store_gc.run(parser.parse_args(arguments), planted.place)


def plant(planted: Planted, drawn: list[tuple[set[int], str]]) -> tuple[list[str], list[str]]:
    """Data hashes that something reaches, and those that nothing does; all of them old but those in use."""
    made = [(planted.snapshot(sorted(numbers)), how) for numbers, how in drawn]
    for data, how in made:
        if how in ("run", "pin", "alias"):
            getattr(planted, how)(data)
    planted.age()
    for data, how in made:
        if how == "use":
            planted.use(data)
    return [data for data, how in made if how in REACHED], [data for data, how in made if how not in REACHED]


def gone(planted: Planted, reached: list[str], unreached: list[str]) -> None:
    """Fails if something is there that nothing reaches."""
    names = planted.names()
    assert not [name for data in unreached for name in names if data.removeprefix(PREFIX) in name]
    needed = {blob for data in reached for blob in planted.contents[data]}
    masks = {planted.masks[data] for data in reached}
    for segment in planted.store.root.glob("features/*/segments/*/blobs.txt"):
        assert needed & {*segment.read_text().split()}
    for pack in planted.store.root.glob("packs/*.idx"):
        assert (needed | masks) & {f"{PREFIX}{raw.hex()}" for raw in collect.read_index(pack)}
    assert len([*planted.store.root.glob("packs/*.pack")]) == len([*planted.store.root.glob("packs/*.idx")])


@settings(max_examples=15, deadline=None)
@given(drawn=SNAPSHOTS)
def test_what_is_reached_still_loads_and_what_is_not_is_gone(tmp_path_factory, drawn):
    planted = Planted(tmp_path_factory.mktemp("planted"))
    reached, unreached = plant(planted, drawn)
    assert clean(planted) == 0
    for data in reached:
        planted.require(data)
    gone(planted, reached, unreached)
    left = planted.names()
    clean(planted)
    assert planted.names() == left


@settings(max_examples=10, deadline=None)
@given(drawn=SNAPSHOTS, after=st.integers(0, 12))
def test_a_cleaning_that_is_killed_leaves_a_store_that_the_next_one_understands(tmp_path_factory, drawn, after):
    planted = Planted(tmp_path_factory.mktemp("planted"))
    reached, unreached = plant(planted, drawn)
    with pytest.MonkeyPatch.context() as patch:
        dying(patch, after)
        try:
            clean(planted)
        except KeyboardInterrupt:
            planted.age()
            for data, how in zip(planted.contents, (how for _, how in drawn), strict=True):
                if how == "use":
                    planted.use(data)
    for data in reached:
        planted.require(data)
    clean(planted)
    for data in reached:
        planted.require(data)
    gone(planted, reached, unreached)


def dying(patch: pytest.MonkeyPatch, after: int) -> None:
    """Files and folders are removed that often; then the process dies, a folder half-way."""
    steps = iter(range(after))
    unlink, rmtree = Path.unlink, shutil.rmtree

    def step() -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt

    def dying_unlink(path: Path, missing_ok: bool = False) -> None:
        step()
        unlink(path, missing_ok)

    def dying_rmtree(folder: Path) -> None:
        try:
            step()
        except KeyboardInterrupt:
            unlink(next(path for path in folder.rglob("*") if path.is_file()))
            raise
        rmtree(folder)

    patch.setattr(Path, "unlink", dying_unlink)
    patch.setattr(collect.shutil, "rmtree", dying_rmtree)


def test_a_dry_run_tells_sizes_and_reasons_and_removes_nothing(planted, capsys):
    kept, lost = planted.snapshot([1, 2]), planted.snapshot([3, 4])
    planted.run(kept)
    planted.age()
    before = planted.names()
    clean(planted, "--dry-run")
    told = capsys.readouterr().out
    assert planted.names() == before
    assert f"snapshots/{lost.removeprefix(PREFIX)}" in told
    assert f"snapshots/{kept.removeprefix(PREFIX)}" not in told
    assert "snapshots: 1 for runs" in told
    size = sum(file.stat().st_size for file in (planted.store.root / "snapshots" / lost[7:]).iterdir())
    (line,) = [line for line in told.splitlines() if f"snapshots/{lost[7:]}" in line]
    assert float(line.split()[2]) == pytest.approx(size / 1000, rel=0.01)


def test_what_is_younger_than_asked_stays_with_all_that_it_refers_to(planted):
    data = planted.snapshot([1, 2])
    planted.age()
    planted.use(data)
    clean(planted, "--older-than", "1")
    planted.require(data)
    clean(planted, "--older-than", "0")
    gone(planted, [], [data])


def test_a_stage_goes_with_its_last_run_and_never_while_somebody_works_on_it(planted):
    folder = planted.run(planted.snapshot([1, 2]))
    other = planted.stage(OTHER)
    planted.age()
    with locked_if_free(planted.store.root / "locks" / f"stage-training-{other.name}.lock"):
        clean(planted)
        assert other.is_dir()
    clean(planted)
    assert not other.exists()
    shutil.rmtree(folder)
    clean(planted)
    assert not list(planted.store.root.glob("stages/*/*"))


@pytest.mark.parametrize("status", ["running", "interrupted", "failed"])
def test_an_unfinished_run_keeps_what_it_goes_on_with(planted, status):
    data = planted.snapshot([1, 2])
    planted.run(data, KEY, status)
    planted.age()
    clean(planted)
    planted.require(data)
    assert planted.stage(KEY).is_dir()


def test_runs_in_another_folder_count_and_one_that_is_not_there_stops_the_cleaning(planted, tmp_path):
    data = planted.snapshot([1, 2])
    planted.run(data)
    elsewhere = tmp_path / "elsewhere"
    planted.place.runs.rename(elsewhere)
    planted.store.refer_from(elsewhere)
    planted.age()
    clean(planted)
    planted.require(data)
    elsewhere.rename(tmp_path / "unmounted")
    with pytest.raises(StoreError, match=f"are not there:\n  {elsewhere}; if they are gone for good, delete"):
        clean(planted)
    planted.require(data)


def test_a_run_that_cannot_be_read_stops_the_cleaning(planted):
    data = planted.snapshot([1, 2])
    (planted.run(data) / "run.json").write_text("{")
    planted.age()
    with pytest.raises(StoreError, match=r"cannot be read; mend or delete them:\n  .*run\.json"):
        clean(planted)
    planted.require(data)


def test_what_killed_writers_left_goes_after_an_hour(planted):
    planted.run(planted.snapshot([1, 2]))
    left = [
        planted.store.root / "packs" / ".tmp-pack-0123",
        planted.store.root / "packs" / "0123.pack",
        planted.store.root / "features" / ("f" * 32) / "segments" / ".tmp-aa-0123",
        planted.store.root / "incoming" / ".tmp-from-0123",
    ]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    clean(planted, "--older-than", "0")
    assert all(path.exists() for path in left)
    planted.age()
    clean(planted, "--older-than", "0")
    assert not any(path.exists() for path in left)


def test_what_answers_and_what_was_answered_stays_whatever_its_age(planted):
    """Releases that no alias points at too: a deployment names one by its hash, and a rollback goes back to it."""
    with new_folder(planted.store) as filled:
        (filled / "model.onnx").write_bytes(b"weights")
        bundle = save_bundle(filled, {"name": "pints"}, planted.store)
    planted.alias(planted.snapshot([1, 2]))
    for kind in ("predictions/pints/2001-09-09", "labels/pints", "pictures/pints", "registry"):
        (planted.store.folder(*kind.split("/")) / "kept").write_bytes(b"of then")
    left = planted.store.root / "releases" / ".tmp-making-0123"
    left.mkdir()
    (left / "model.onnx").write_bytes(b"half")
    planted.age()
    before = planted.names() - {left.relative_to(planted.store.root).as_posix() + "/model.onnx"}
    clean(planted, "--older-than", "0")
    assert planted.names() == before
    assert {name.split("/")[0] for name in before} >= {"releases", "journal", "predictions", "labels", "pictures"}
    open_bundle(bundle.hash, Store(planted.store.root)).verify()
    assert Aliases(Store(planted.store.root), "pints").standing("production") is not None


def test_what_lies_behind_a_link_stays_and_a_link_itself_goes(planted, tmp_path, capsys):
    reports = planted.store.folder("reports")
    (outside := tmp_path / "papers").mkdir()
    (outside / "thesis.txt").write_text("years of work")
    (reports / "thesis").symlink_to(outside)
    (planted.store.root / "launches").symlink_to(outside)
    os.utime(reports / "thesis", (OLD, OLD), follow_symlinks=False)
    for path in (outside, outside / "thesis.txt"):
        os.utime(path, (OLD, OLD))
    assert clean(planted) == 0
    assert (outside / "thesis.txt").read_text() == "years of work"
    assert not [*reports.iterdir()]
    assert "launches: 1 for a link out of the store" in capsys.readouterr().out


def test_copies_of_remote_stores_are_cleaned_by_the_same_rules(planted):
    kept, lost = planted.snapshot([1, 2]), planted.snapshot([3, 4])
    planted.run(kept)
    copy = planted.place.project / ".totalml" / "remote" / "0123abcd"
    shutil.copytree(planted.store.root, planted.place.project / "copy")
    copy.parent.mkdir()
    (planted.place.project / "copy").rename(copy)
    planted.age()
    clean(planted)
    for store in (planted.store.root, copy):
        assert [path.name for path in (store / "snapshots").iterdir()] == [kept.removeprefix(PREFIX)], lost


def test_a_blob_that_was_cleaned_away_is_stored_anew_by_a_process_that_knew_it(planted):
    planted.snapshot([1, 2])
    blobs = [blob for blobs in planted.contents.values() for blob in blobs]
    assert planted.store.missing(blobs) == []
    planted.age()
    clean(planted)
    assert planted.store.missing(blobs) == blobs
    planted.require(planted.snapshot([1, 2]))


def test_the_command_line_refuses_what_is_no_age_and_what_is_no_store(planted, monkeypatch, capsys):
    with pytest.raises(RecipeError, match="--older-than -1: expected a number of days from 0"):
        clean(planted, "--older-than", "-1")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(planted.place.project)
    assert main(["store", "gc", "--store", "nowhere"]) == 2
    assert f"there is no store {planted.place.project / 'nowhere'}" in capsys.readouterr().err
    planted.snapshot([1, 2])
    assert main(["store", "gc"]) == 0


def test_a_snapshot_that_a_run_has_just_asked_for_stays(planted, tmp_path):
    save_photos(tmp_path / "photos", range(4))
    data = DataRecipe(source=ImageFolder(root=str(tmp_path / "photos")))
    first = take_snapshot(data, planted.store)
    planted.age()
    assert take_snapshot(data, planted.store).data_hash == first.data_hash
    clean(planted)
    blobs = load_snapshot(first.data_hash, Store(planted.store.root)).samples["blob"].to_pylist()
    assert Store(planted.store.root).missing(blobs) == []


def test_after_a_cleaning_a_run_comes_to_the_same_from_what_was_kept(planted):
    def go(*overrides: str) -> Path:
        where = [f"runtime.store={planted.store.root}", f"runtime.runs={planted.place.runs}", "runtime.progress=none"]
        return runner.run(compose_recipe(REPOSITORY, [*SMALL, *where, *overrides]))

    def outputs(folder: Path) -> dict[str, str]:
        return json.loads((folder / "run.json").read_text())["outputs"]

    kept, lost = go(), go("seed=1")
    shutil.rmtree(lost.parent)
    clean(planted, "--older-than", "0")
    assert [kept.name for kept in planted.store.root.glob("stages/training/*")] == [training_key(kept)]
    stages = json.loads((go("evaluation.bootstrap=10") / "run.json").read_text())["stages"]
    assert stages["features"]["reused"]
    assert stages["training"]["reused"]
    assert outputs(go("runtime.rerun=true")) == outputs(kept)


def training_key(folder: Path) -> str:
    return short(json.loads((folder / "run.json").read_text())["stages"]["training"]["key"], 32)
