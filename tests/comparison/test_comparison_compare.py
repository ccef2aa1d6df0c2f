"""Runs side by side: what differs, what came of it, and on which pictures; planted predictions have known answers."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from tests.evaluated import classified
from totalml.cli import main
from totalml.comparison.compare_page import render
from totalml.comparison.side_by_side import SideBySide, side_by_side
from totalml.data import ImageFolder, take_snapshot
from totalml.evaluation.interval import Interval
from totalml.progress import Progress
from totalml.project import Place
from totalml.recipe import DataRecipe
from totalml.runs.attempt import Attempt, attempts_of
from totalml.store import Store

LABELS = ["cat", "dog"]
COUNT = 20  # of each label; c-0 is the first cat
IDS = [f"{label}/{number}.png" for label in LABELS for number in range(COUNT)]
TRUE = [label for label in LABELS for _ in range(COUNT)]
RECIPE = "name: photos\nseed: {seed}\ntraining:\n  epochs: 3\n"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """Holds a snapshot of one-coloured pictures."""
    root = tmp_path_factory.mktemp("photos")
    for number, id_ in enumerate(IDS):
        file = root / "photos" / id_
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((16, 16, 3), 6 * number, np.uint8)).save(file)
    return Store(root / "store")


@pytest.fixture(scope="module")
def data_hash(store) -> str:
    source = ImageFolder(root=str(store.root.parent / "photos"))
    return take_snapshot(DataRecipe(source=source), store, Progress.silent()).data_hash


@pytest.fixture
def plant(tmp_path: Path, data_hash: str) -> Callable[..., Attempt]:
    """A finished run that predicts what it is told to."""

    def plant(
        said: Sequence[str], seed: int = 0, ids: Sequence[str] = IDS, groups: Sequence[str] | None = None
    ) -> Attempt:
        folder = tmp_path / "runs" / "photos" / f"0000000{seed}-{data_hash[7:15]}" / "1"
        folder.mkdir(parents=True)
        digests = {part: {"digest": "d"} for part in ("code", "files", "environment", "execution")}
        names = {"name": "photos", "run_id": folder.parent.name, "config_hash": "c", "data_hash": data_hash}
        facts = {"status": "finished", "attempt": 1, "ended": f"2026-01-0{seed + 1}T00:00:00+00:00", **names, **digests}
        (folder / "run.json").write_text(json.dumps(facts))
        (folder / "recipe.yaml").write_text(RECIPE.format(seed=seed))
        right = float(np.mean([one == other for one, other in zip(said, TRUE, strict=True)]))
        accuracy = Interval(right, right - 0.1, right + 0.1)
        columns = {"id": list(ids), "label": TRUE, "predicted": list(said), "confidence": [0.9] * len(said)}
        if groups:
            columns["group:glass"] = list(groups)
        classified(pa.table(columns), metrics={"accuracy": accuracy}).save(folder)
        return attempts_of(folder.parent)[0][0]

    return plant


def test_a_class_that_got_worse_is_named_first_and_told_from_chance(plant):
    worse = ["dog" if number < 8 else "cat" for number in range(COUNT)]
    beside = SideBySide(plant(TRUE), plant([*worse, *["dog"] * COUNT], seed=1))
    assert [change.label for change in beside.classes] == ["cat", "dog"]
    cat, dog = (change.paired for change in beside.classes)
    assert (cat.gained, cat.lost, cat.count) == (0, 8, 20)
    assert cat.difference == pytest.approx(-0.4)
    assert cat.high < 0
    assert (dog.gained, dog.lost) == (0, 0)
    assert beside.paired.difference == pytest.approx(-0.2)


def test_flips_are_lost_ones_first_and_in_their_words(plant):
    before = ["dog", *TRUE[1:]]
    after = [TRUE[0], *TRUE[1:-1], "cat"]
    flips = SideBySide(plant(before), plant(after, seed=1)).flips
    assert [(flip.id, flip.lost, flip.gained) for flip in flips] == [
        ("dog/19.png", True, False),
        ("cat/0.png", False, True),
    ]
    assert (flips[1].before.said, flips[1].after.said) == ("dog", "cat")


def test_other_test_samples_are_not_paired(plant):
    beside = SideBySide(plant(TRUE), plant(TRUE, seed=1, ids=["another", *IDS[1:]]))
    assert beside.paired is None
    assert beside.classes == []
    assert beside.flips == []


@pytest.fixture
def compare(tmp_path, store, capsys):
    """What `totalml compare` prints, and its page."""

    def compare(*arguments: str, expect: int = 0) -> tuple[str, str]:
        places = ["--runs", str(tmp_path / "runs"), "--store", str(store.root)]
        code = main(["compare", *arguments, *places])
        out, err = capsys.readouterr()
        assert code == expect, out + err
        page = tmp_path / "runs" / "compare.html"
        return out + err, page.read_text() if page.is_file() else ""

    return compare


def test_the_runs_of_a_recipe_stand_side_by_side_oldest_first(plant, compare):
    half = ["cat", "dog"] * COUNT
    plant(TRUE, seed=1)
    plant(half, seed=0)
    told, page = compare("photos")
    assert "B against A: better by 50.0 points" in told
    assert re.search(r"seed +0 → 1", told)
    assert "<strong>B is right more often than A</strong>: on 40 of 40 instead of 20 of 40." in page
    assert "<strong><bdi>dog</bdi></strong> is recognised more often (+50.0 points)" in page
    assert page.count("<img") == 12  # 20 gained, 12 shown
    assert "20 samples, 12 shown" in page
    assert "http" not in page.replace("http-equiv", "")


def test_a_group_that_got_worse_is_named_in_the_terminal_and_on_the_page(plant, compare):
    groups = ["tulip", "plastic"] * COUNT
    hit = [
        other if group == "plastic" and row < 24 else true
        for row, (true, group, other) in enumerate(zip(TRUE, groups, reversed(TRUE), strict=True))
    ]
    plant(TRUE, groups=groups)
    plant(hit, seed=1, groups=groups)
    told, page = compare("photos")
    assert "Groups: 0 better and 1 worse of 2 that both looked at" in told
    assert re.search(r"glass plastic +worse +100.0.% to 40.0.% +−60.0 points .*0 gained and 12 lost of 20", told)
    assert "Worse for <bdi>glass plastic</bdi></strong> (100.0" in page
    assert "clearly worse</strong> for <bdi>glass plastic</bdi>" in page


def test_runs_that_looked_at_no_groups_have_no_such_part(plant, compare):
    plant(TRUE)
    plant(TRUE, seed=1)
    told, page = compare("photos")
    assert "Groups" not in told
    assert 'id="groups"' not in page


def test_pictures_that_are_no_longer_in_the_store_are_left_out(plant, tmp_path):
    attempts = [plant(["cat", "dog"] * COUNT), plant(TRUE, seed=1)]
    place = Place(tmp_path, tmp_path / "runs", tmp_path / "empty store")
    page = render(attempts, side_by_side(attempts), place)
    assert "<img" not in page
    assert "cat/1.png" in page


def test_what_strangers_write_stays_text(plant, compare):
    evil = "<script>alert(1)</script>"
    plant(TRUE)
    plant([evil, *TRUE[1:]], seed=1)
    _, page = compare("photos")
    assert evil not in page
    assert "&lt;script&gt;" in page


def test_the_command_for_wandb_is_printed_where_there_is_something_to_see(plant, compare):
    tracked, _ = plant(TRUE), plant(TRUE, seed=1)
    (tracked.folder / "wandb" / "offline-run-x").mkdir(parents=True)
    told, _ = compare("photos", "--wandb")
    assert f"wandb leet {tracked.folder / 'wandb'}" in told
    assert told.count("was not tracked offline") == 1


def test_one_run_is_not_enough(plant, compare):
    plant(TRUE)
    told, _ = compare("photos", expect=2)
    assert "'photos' has 1 finished run; name two runs to compare" in told
