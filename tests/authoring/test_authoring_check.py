"""`totalml recipe check` shows every mistake of every recipe at once, and proves what it can."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests import projects
from tests.projects import replace
from tests.warm import run_python
from totalml.data import ImageFolder, take_snapshot
from totalml.errors import TrainingError
from totalml.recipe import DataRecipe
from totalml.store import Store

REPOSITORY = Path(__file__).parents[2]
OPEN = "defaults:\n  - override /data: image_folder\nname: open\n"  # leaves data.source.root to the command line


@pytest.fixture
def write_recipe(project):
    def write(name: str, text: str) -> None:
        head = "defaults:\n  - photos\n  - _self_\n"
        projects.write_recipe(project, name, f"{head}name: {name}\n{text}")

    return write


def test_the_mistakes_of_all_recipes_are_shown_at_once(write_recipe, totalml):
    write_recipe("one", "training:\n  epoch: 3\nseed: -1\n")
    write_recipe("two", "model:\n  image:\n    _target_: totalml.model.SmallCn\n")
    said = totalml("recipe", "check", expect=2)
    assert "recipes/one.yaml:6: unknown key 'training.epoch', did you mean 'epochs'?" in said
    assert "recipes/one.yaml:7: 'seed'" in said
    assert "recipes/two.yaml:7: 'totalml.model' has no 'SmallCn'" in said
    assert [line.split()[:2] for line in said.splitlines()[:3]] == [
        *(["one", "wrong"], ["photos", "valid"], ["two", "wrong"]),
    ]


def test_a_mistake_in_conf_is_shown_once_with_all_its_recipes(project, write_recipe, totalml):
    write_recipe("other", "")
    replace(project / "conf/training/standard.yaml", "epochs: 30", "epochs: many")
    said = totalml("recipe", "check", expect=2)
    assert said.count("conf/training/standard.yaml:2: 'training.epochs' should be a valid integer, got 'many'") == 1
    assert "(other, photos)" in said


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("", "data.source.root"),
        (
            "data:\n  source:\n    root: x\ntraining:\n  clip_norm: ???\n",
            "training.clip_norm",
        ),  # no text can stand there
    ],
)
def test_a_value_left_to_the_command_line_is_no_mistake(project, totalml, text, needs):
    (project / "recipes/open.yaml").write_text(f"{OPEN}{text}")
    (line,) = totalml("recipe", "check", "open").splitlines()
    assert line.startswith("open  valid")
    assert f"needs {needs}" in line


def test_other_mistakes_beside_such_a_value_are_still_found(project, totalml):
    (project / "recipes/open.yaml").write_text(f"{OPEN}seed: -1\n")
    said = totalml("recipe", "check", expect=2)
    assert "recipes/open.yaml:4: 'seed'" in said
    assert "no value yet" not in said


def test_a_recipe_is_named_like_its_file(project, totalml):
    (project / "recipes/copy.yaml").write_text((project / "recipes/photos.yaml").read_text())
    assert "recipes/copy.yaml: 'name' is 'photos'" in totalml("recipe", "check", expect=2)


def test_columns_that_reviewers_would_never_see_are_noted(write_recipe, totalml):
    write_recipe("pub", "monitoring: {unit: sender, slices: [seat]}\nreview: {shows: [pub, seat, sender, price]}\n")
    write_recipe("seat", "monitoring: {slices: [seat]}\nreview: {shows: [seat]}\n")
    noted, quiet = totalml("recipe", "check", "pub", "seat").splitlines()
    assert "valid" in noted
    assert "review.shows: no request brings pub, price, unless monitoring.slices or populations names it" in noted
    assert "review.shows" not in quiet


def test_only_the_named_recipes_are_checked(write_recipe, totalml):
    write_recipe("one", "seed: -1\n")
    assert "one" not in totalml("recipe", "check", "recipes/photos.yaml")
    assert "there is no recipe 'photo', did you mean 'photos'?" in totalml("recipe", "check", "photo", expect=2)


@pytest.fixture
def pinned(project, tmp_path, write_recipe):
    """A recipe pinned to eight photos; their folder."""
    root = tmp_path / "shots"
    for number in range(8):
        sink = BytesIO()
        pixels = np.random.default_rng(number).integers(0, 256, (10, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(sink, "PNG")
        file = root / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(sink.getvalue())
    pin = take_snapshot(DataRecipe(source=ImageFolder(root=str(root))), Store(tmp_path / "elsewhere")).data_hash
    write_recipe("pinned", f"data:\n  snapshot: {pin}\n  source:\n    root: {root}\n")
    return root


def test_a_pin_that_is_not_in_the_store_is_noted_or_taken(pinned, totalml):
    assert "not checked: not in the store" in totalml("recipe", "check", "pinned")
    assert "is what the source gives" in totalml("recipe", "check", "pinned", "--pins=strict")
    assert "is in the store" in totalml("recipe", "check", "pinned")


def test_a_pin_that_the_source_no_longer_gives_fails_if_strict(pinned, totalml):
    (pinned / "a" / "0.png").unlink()
    totalml("recipe", "check", "pinned")
    said = totalml("recipe", "check", "pinned", "--pins=strict", expect=4)
    assert "the source no longer gives the pinned snapshot" in said
    assert "pinned  wrong" in said


@pytest.fixture
def ran(monkeypatch):
    """The names of the recipes that were run; what running them does instead."""
    names = []

    def run(recipe):
        names.append(recipe.name)
        if recipe.seed == 13:
            raise TrainingError("went astray")
        folder = Path(recipe.runtime.runs) / recipe.name
        folder.mkdir(parents=True)
        metrics = {"metrics": {"accuracy": {"value": 0.75, "low": 0.5, "high": 1.0, "note": None}}}
        (folder / "metrics.json").write_text(json.dumps(metrics))
        print("the closing table")
        return folder

    monkeypatch.setattr("totalml.runner.run", run)
    return names


def test_the_recipes_marked_smoke_are_run_and_no_others(write_recipe, totalml, ran):
    write_recipe("small", "smoke: true\n")
    said = totalml("recipe", "check")
    assert ran == ["small"]
    assert "runs: accuracy 75.0" in said
    assert "the closing table" not in said
    totalml("recipe", "check", "--no-smoke")
    assert ran == ["small"]


def test_a_smoke_run_that_fails_ends_the_check_with_its_code(write_recipe, totalml, ran):
    write_recipe("small", "smoke: true\nseed: 13\n")
    said = totalml("recipe", "check", expect=8)
    assert "went astray" in said
    assert "small   wrong" in said


@pytest.mark.slow
def test_the_smoke_recipe_of_this_repository_runs(tmp_path):
    where = ["--runs", str(tmp_path / "runs"), "--store", str(tmp_path / "store")]
    done = run_python(["-m", "totalml.cli", "recipe", "check", "guinness_smoke", *where], REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert "runs: accuracy" in done.stdout


FLATS = """\
defaults:
  - override /data: table
  - override /features: table
  - override /model: mlp
name: flats
data:
  source: {table: flats.csv}
  where: rooms > 1 and split != 'x'
  split: {by: column, column: splt}
task:
  _target_: totalml.task.Regression
  targets: [price]
features:
  table: {numeric: [aera, rooms], categorical: [district]}
training:
  augment: []
"""


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_that_a_recipe_names_and_its_table_lacks_are_told_by_the_header(project, totalml, suffix):
    (project / "recipes/flats.yaml").write_text(FLATS.replace("flats.csv", f"flats.{suffix}"))
    asked = ("recipe", "check", "flats", "--no-smoke")
    assert f"columns not looked at: data.source.table 'flats.{suffix}' is not there" in totalml(*asked)
    names = ["area", "rooms", "district", "prices", "split"]
    if suffix == "csv":
        (project / "flats.csv").write_text("\ufeff" + ";".join(names) + "\n1;2;a;3;train\n", encoding="utf-8")
    else:
        pq.write_table(pa.table({name: [1] for name in names}), project / "flats.parquet")
    told = [line for line in totalml(*asked, expect=2).splitlines() if line.startswith("recipes/")]
    assert [line.partition(" names ")[::2] for line in told] == [
        (f"recipes/flats.yaml: {key}", f"{column!r}, which data.source.table 'flats.{suffix}' lacks; {more}")
        for key, column, more in (
            ("data.split.column", "splt", f"did you mean 'split'?; it has {names}"),
            ("features.table.numeric", "aera", f"did you mean 'area'?; it has {names}"),
            ("task.targets", "price", f"did you mean 'prices'?; it has {names}"),
        )
    ]
