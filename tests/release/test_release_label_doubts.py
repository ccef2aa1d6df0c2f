"""A release finds wrong labels among those that it was trained on, from an ordinary run on planted ones."""

import sys
from io import BytesIO

import numpy as np
import pyarrow.compute as pc
import pytest
from PIL import Image

from recipes.guinness.source import PintSource
from tests.projects import new_project
from totalml.notebook import compose, run
from totalml.progress import Progress
from totalml.recipe.review import ReviewRecipe
from totalml.release.label_doubts import labels_doubted_by
from totalml.release.make import make_release
from totalml.review.queues.fill import DOUBTFUL, Wanted, fill
from totalml.review.reviews import Reviews

COUNT, SIDE, WRONG_SHARE = 800, 40, 0.05
RECIPE = f"""\
defaults:
  - override /data: image_table
  - override /quality: none
  - override /evaluation: quick
  - override /tracking: none
  - _self_

name: pints
data:
  source:
    table: photos/labels.csv
quality:
  checks:
    - _target_: totalml.quality.DoubtfulLabels
features:
  image: {{size: {SIDE}}}
evaluation: {{bootstrap: 20}}
training: {{epochs: 12}}
"""


@pytest.fixture
def planted(tmp_path):
    """A project with pints of which one label in twenty, beside those of raters who err, was turned round."""
    new_project(tmp_path, {"pints": RECIPE})
    pints = list(PintSource(count=COUNT, size_px=SIDE).samples())
    right = np.flatnonzero([pint.label == pint.metadata["rule"] for pint in pints])
    wrong = set(np.random.default_rng(0).choice(right, round(WRONG_SHARE * COUNT), replace=False).tolist())
    turned = {"good": "bad", "bad": "good"}
    (tmp_path / "photos").mkdir()
    lines = ["file,label"]
    for row, pint in enumerate(pints):
        Image.open(BytesIO(pint.image)).save(tmp_path / "photos" / f"{pint.id}.png")
        lines.append(f"{pint.id}.png,{turned[pint.label] if row in wrong else pint.label}")
    (tmp_path / "photos" / "labels.csv").write_text("\n".join(lines) + "\n")
    return tmp_path, {pints[row].id for row in wrong}


@pytest.mark.slow
def test_most_planted_wrong_labels_are_among_the_most_doubtful_tenth_and_people_are_asked_about_it(
    planted, monkeypatch
):
    project, wrong = planted
    monkeypatch.setattr(sys, "path", [*sys.path])
    done = run(compose("pints", project=project))
    store = done.place.open_store()
    bundle = make_release(done.recipe, done.attempt, store, Progress.silent())
    doubted = labels_doubted_by(bundle, store)
    assert len(doubted) == COUNT
    tenth = doubted.slice(0, COUNT // 10)
    worst = tenth.filter(pc.not_equal(tenth["label"], tenth["suggested"]))
    found = wrong & {name.removesuffix(".png") for name in worst["id"].to_pylist()}
    assert len(found) >= 0.7 * len(wrong), f"{len(found)} of {len(wrong)}"

    filled = fill(store, bundle, ReviewRecipe(), Wanted(source=DOUBTFUL, count=20))
    asked = Reviews(store, bundle.name).items(filled.batch)
    assert {*asked["sample"].to_pylist()} == {*doubted["id"].slice(0, 20).to_pylist()}
    assert {*asked["queue"].to_pylist()} == {DOUBTFUL}
