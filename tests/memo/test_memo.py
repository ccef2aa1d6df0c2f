"""A memo tells what the long way told, and is never told once anything that it rests on has changed."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.projects import REPOSITORY, new_project
from totalml.compose import compose_recipe
from totalml.data import take_snapshot
from totalml.memo import keep, rests, save
from totalml.memo.recall import Memo
from totalml.registry import Aliases, Promotion
from totalml.store import Store, open_store, stat_cache

RECIPE = """\
defaults:
  - override /data: image_folder
  - override /evaluation: quick
  - override /tracking: none
  - _self_

name: photos
data:
  source:
    root: photos
features:
  image:
    size: 16
training:
  epochs: 1
  batch_size: 16
quality: {checks: []}
gates:
  - {metric: accuracy, at_least: production}
"""
HOUR_NS = 3600 * 10**9
ASKED = ["+recipe=photos", "runtime.progress=plain"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of its own, some code beside it, and a finished run."""
    project = new_project(tmp_path_factory.mktemp("project"), {"photos": RECIPE})
    shutil.copy(REPOSITORY / "run.py", project)
    (project / "code").mkdir()
    (project / "code" / "train.py").write_text("epochs = 1\n")
    pixels = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), np.uint8)
    for number, picture in enumerate(pixels):
        folder = project / "photos" / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{number}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        patch.setattr(stat_cache, "RACY_NS", -HOUR_NS)
        assert keep.run_and_keep(Memo(str(project), ASKED)) == 0
    return project


@pytest.fixture
def project(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, of which nothing is too new to be trusted."""
    copied = Path(shutil.copytree(finished, tmp_path / "project"))
    monkeypatch.setattr(rests, "HOME", copied / "code")
    monkeypatch.setattr(sys, "path", [*sys.path, str(copied / "installed")])
    monkeypatch.setattr(stat_cache, "RACY_NS", -HOUR_NS)
    monkeypatch.setattr(save, "RACY_NS", -HOUR_NS)
    monkeypatch.chdir(copied)
    recipe = compose_recipe(copied, ASKED)
    take_snapshot(recipe.data, open_store(recipe.runtime.store, recipe.runtime.cache))  # the copied photos are new
    return copied


def asked(project: Path, *more: str) -> Memo:
    return Memo(str(project), [*ASKED, *more])


def told_the_long_way(project: Path, *more: str) -> int:
    return keep.run_and_keep(asked(project, *more))


@pytest.mark.parametrize(("bound", "code"), [("production", 0), ("1.1", 3)], ids=["released", "not released"])
def test_it_tells_what_the_long_way_told_with_its_exit_code(bound, code, project, capsys):
    gates = f"gates=[{{metric: accuracy, at_least: {bound}}}]"
    told_the_long_way(project, gates)
    capsys.readouterr()
    assert told_the_long_way(project, gates) == code
    long_way = capsys.readouterr()
    assert asked(project, gates).tell() == code
    assert capsys.readouterr() == long_way
    assert "this run is finished: attempt 1" in long_way.err
    assert "Report" in long_way.out


def test_a_run_that_wandb_left_links_in_is_told_from_a_memo_too(project):
    (attempt,) = (project / "runs" / "photos").glob("*/1")
    (attempt / "wandb").mkdir()
    (attempt / "wandb" / "debug-core.log").symlink_to("nowhere.log")
    assert told_the_long_way(project) == 0
    assert asked(project).tell() == 0


def edit_keeping_size_and_time(file: Path) -> None:
    before = file.stat()
    file.write_bytes(file.read_bytes()[::-1])
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def move_production(project: Path) -> None:
    weights = "blake3:" + "a" * 64
    promotion = Promotion("2026-01-01T00:00:00+00:00", "production", "01234567-01234567", 1, weights, "someone")
    Aliases(Store(project / ".totalml"), "photos").move(lambda _: promotion)


def only(project: Path, pattern: str) -> Path:
    (found,) = project.glob(pattern)
    return found


CHANGES: dict[str, Callable[[Path], object]] = {
    "a recipe, size and time kept": lambda at: edit_keeping_size_and_time(at / "recipes/photos.yaml"),
    "a file of conf, size and time kept": lambda at: edit_keeping_size_and_time(at / "conf/config.yaml"),
    "another file in conf": lambda at: (at / "conf/data/other.yaml").touch(),
    "another recipe": lambda at: (at / "recipes/other.yaml").touch(),
    "a recipe's code": lambda at: (at / "recipes/photos.py").touch(),
    "run.py": lambda at: edit_keeping_size_and_time(at / "run.py"),
    "code of ours": lambda at: edit_keeping_size_and_time(at / "code/train.py"),
    "another module of ours": lambda at: (at / "code/more.py").touch(),
    "a photo, size and time kept": lambda at: edit_keeping_size_and_time(at / "photos/cat/0.png"),
    "a touched photo": lambda at: (at / "photos/cat/0.png").touch(),
    "another photo": lambda at: shutil.copy2(at / "photos/cat/0.png", at / "photos/cat/100.png"),
    "a photo fewer": lambda at: (at / "photos/cat/0.png").unlink(),
    "a renamed photo": lambda at: (at / "photos/cat/0.png").rename(at / "photos/cat/00.png"),
    "a result": lambda at: edit_keeping_size_and_time(only(at, "runs/*/*/1/metrics.json")),
    "a result fewer": lambda at: only(at, "runs/*/*/1/report.html").unlink(),
    "run.json": lambda at: edit_keeping_size_and_time(only(at, "runs/*/*/1/run.json")),
    "another attempt": lambda at: shutil.copytree(only(at, "runs/*/*/1"), only(at, "runs/*/*") / "2"),
    "no run": lambda at: shutil.rmtree(at / "runs"),
    "production": move_production,
    "no snapshot": lambda at: shutil.rmtree(at / ".totalml/snapshots"),
    "no memory of the data": lambda at: shutil.rmtree(at / ".totalml/fingerprints"),
    "an installed package": lambda at: (at / "installed/torch-3.0.dist-info").mkdir(parents=True),
    "a damaged memo": lambda at: edit_keeping_size_and_time(only(at, ".totalml/memos/*")),
    "half a memo": lambda at: only(at, ".totalml/memos/*").write_bytes(only(at, ".totalml/memos/*").read_bytes()[:99]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_is_not_told_once_something_has_changed(change, project, capsys):
    told_the_long_way(project)
    assert asked(project).tell() == 0
    capsys.readouterr()
    change(project)
    assert asked(project).tell() is None
    assert "".join(capsys.readouterr()) == ""


def test_another_argument_variable_or_folder_is_another_question(project, monkeypatch, tmp_path):
    told_the_long_way(project)
    assert asked(project, "seed=1").tell() is None
    with monkeypatch.context() as patch:
        patch.setenv("TOTALML_TRACEBACK", "1")
        assert asked(project).tell() is None
    with monkeypatch.context() as patch:
        patch.chdir(tmp_path)
        assert asked(project).tell() is None
    with monkeypatch.context() as patch:
        patch.setattr("totalml.memo.recall.VERSION", 2)
        assert asked(project).tell() is None
    with monkeypatch.context() as patch:
        patch.setattr("totalml.memo.recall.gpu_information", lambda: ["Model: H100"])
        assert asked(project).tell() is None
    assert asked(project).tell() == 0


NOT_COVERED: dict[str, Callable[[Path], object]] = {
    "a link among the photos": lambda at: (at / "photos/cat/link.png").symlink_to(at / "photos/cat/0.png"),
    "a recipe that asks the clock": lambda at: (at / "recipes/timed.yaml").write_text("seed: ${now:%Y}\n"),
    "a recipe that asks the clock by an interpolated name": lambda at: (at / "recipes/timed.yaml").write_text(
        "card: {question: now}\nseed: ${ ${card.question}:%Y}\n"
    ),
    "configs from elsewhere": lambda at: (at / "conf/more.yaml").write_text("hydra: {searchpath: [file:///x]}"),
    "production that moved since the run": move_production,
}


def test_no_committed_recipe_keeps_the_project_from_having_memos():
    assert not rests._looks_elsewhere(Memo(str(REPOSITORY), ["+recipe=guinness"]))


@pytest.mark.parametrize("change", NOT_COVERED.values(), ids=NOT_COVERED)
def test_what_no_state_of_a_file_shows_has_no_memo(change, project):
    change(project)
    for _ in range(2):
        assert told_the_long_way(project) in (0, 3, 4)
    assert asked(project).tell() is None


def test_a_source_that_does_not_say_what_it_hangs_on_has_no_memo(project, monkeypatch):
    monkeypatch.setattr("totalml.data.folder.ImageFolder.watched", lambda self: None)
    told_the_long_way(project)
    assert asked(project).tell() is None


def test_what_changed_since_the_command_began_has_no_memo(project, monkeypatch):
    """It may have been read before the change; then its state now is not that of what was read."""
    tick_s = 0.1
    monkeypatch.setattr(save, "RACY_NS", int(tick_s * 1e9))
    for touched in (True, False):
        time.sleep(2 * tick_s)
        memo = asked(project)
        if touched:
            (project / "recipes" / "photos.yaml").touch()
        assert keep.run_and_keep(memo) == 0
        assert (asked(project).tell() is None) == touched


SCRIPT = """
import runpy, sys
{}
try:
    runpy.run_path("run.py", run_name="__main__")
finally:
    print(sorted({{"hydra", "pydantic", "omegaconf", "yaml", "pathlib"}} & {{*sys.modules}}), file=sys.stderr)
"""


def test_hydra_is_not_imported_for_it(finished):
    trusting = f"from totalml.store import stat_cache; stat_cache.RACY_NS = -{HOUR_NS}"
    for first in (trusting, ""):
        command = [sys.executable, "-c", SCRIPT.format(first), *ASKED]
        done = subprocess.run(command, cwd=finished, capture_output=True, text=True, check=True, timeout=60)
        assert "Report" in done.stdout
        assert ("hydra" in done.stderr.splitlines()[-1]) == bool(first)
    assert done.stderr.splitlines()[-1] == "[]"
