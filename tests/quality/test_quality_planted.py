"""Faults planted in the guinness recipe are named in the report of a whole run; the clean recipe has none."""

from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from recipes.guinness.source import PintSource
from totalml.compose import compose_recipe
from totalml.data import split_samples, take_snapshot
from totalml.data.sample import Sample
from totalml.features import build_features
from totalml.quality import Pictures, check_quality
from totalml.runner import run
from totalml.store import Store

REPOSITORY = Path(__file__).parents[2]
COUNT = 400
COPIES = range(0, COUNT, 40)
SWAPPER, BLURRED = "u000", "41-60"
pytestmark = pytest.mark.slow


class FaultySource(PintSource):
    """Ten pints come a second time as JPEG; one uploader swapped good and bad; one age group's photos are blurred."""

    def samples(self) -> Iterator[Sample]:
        for number, pint in enumerate(super().samples()):
            yield _planted(pint)
            if number in COPIES:
                yield replace(
                    pint, id=f"copy-{number:04d}", mask=None, image=_saved(_picture(pint).resize((80, 80)), "JPEG")
                )


def _planted(pint: Sample) -> Sample:
    if pint.metadata["uploader"] == SWAPPER:
        pint = replace(pint, label={"good": "bad", "bad": "good"}[pint.label or ""])
    if pint.metadata["age_group"] == BLURRED:
        pint = replace(pint, image=_saved(_picture(pint).filter(ImageFilter.GaussianBlur(1.2)), "PNG"))
    return pint


def _picture(pint: Sample) -> Image.Image:
    return Image.open(BytesIO(pint.image)).convert("RGB")


def _saved(picture: Image.Image, kind: str) -> bytes:
    file = BytesIO()
    picture.save(file, kind, quality=80)
    return file.getvalue()


def recipe_of(folder, *overrides):
    where = [f"runtime.store={folder}/store", f"runtime.runs={folder}/runs", "runtime.progress=none"]
    return compose_recipe(REPOSITORY, ["+recipe=guinness_smoke", *where, *overrides])


def test_each_fault_is_named_in_the_report_with_its_pictures(tmp_path):
    recipe = recipe_of(tmp_path, f"data.source.count={COUNT}", "training.epochs=1", "evaluation=quick")
    faulty = recipe.data.model_copy(update={"source": FaultySource(**dict(recipe.data.source))})
    page = unescape((run(recipe.model_copy(update={"data": faulty})) / "report.html").read_text())
    assert "near duplicates across splits" in page
    assert f"the labels of uploader '{SWAPPER}' contradict those of samples that look alike" in page
    assert f"the photos of age_group '{BLURRED}' are blurred" in page
    assert page.count("the labels of ") == page.count("the photos of ") == 1, "others are accused too"
    assert 'class="evidence"' in page
    assert 'alt="Sample copy-' in page


@pytest.mark.parametrize("seed", range(5))
def test_the_clean_recipe_has_none(tmp_path, seed):
    recipe = recipe_of(tmp_path, f"data.source.seed={seed}")
    store = Store(tmp_path / "store")
    snapshot = take_snapshot(recipe.data, store)
    features = build_features(recipe.features, recipe.data, recipe.task, snapshot, store)
    sizes = np.array(store.picture_sizes(snapshot.samples["blob"].to_pylist()))
    assert sizes.tolist() == [[64, 64]] * 200
    splits = split_samples(recipe.data.split, snapshot)
    report = check_quality(recipe.quality, snapshot, splits, Pictures(features.images, lambda: sizes))
    assert len(report.checks) == 11
    assert report.findings == ()
