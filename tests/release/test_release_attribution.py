"""What a model looked at, in two numbers a picture."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from totalml.release.attribution import ENTROPY, MIDDLE, SUBJECT, Region, of_rows
from totalml.release.region import pooled, region_of

CHANCE = np.random.default_rng(3)
REGION = Region(SUBJECT, CHANCE.random((4, 4)).astype(np.float32))


def looked_at(map_: np.ndarray, region: Region = REGION) -> tuple[float, float]:
    """Of a model with one answer. Args: map_: (h, w)."""
    found = region.looked_at(np.ones((1, 1), np.float32), map_[None, None].astype(np.float32))
    return float(found[region.name][0]), float(found[ENTROPY][0])


def test_they_are_the_share_on_the_region_and_the_entropy_of_the_map_of_the_answer():
    scores, maps = CHANCE.random((30, 3), np.float32), CHANCE.normal(0.2, 1, (30, 3, 4, 4)).astype(np.float32)
    found = REGION.looked_at(scores, maps)
    for number in range(30):
        told = [max(float(each), 0.0) for each in maps[number, int(scores[number].argmax())].ravel()]
        shares = [each / sum(told) for each in told]
        on = sum(each * float(weight) for each, weight in zip(shares, REGION.weights.ravel(), strict=True))
        spread = -sum(each * math.log(each) for each in shares if each) / math.log(16)
        assert found[SUBJECT][number] == pytest.approx(on, abs=1e-6)
        assert found[ENTROPY][number] == pytest.approx(spread, abs=1e-6)


def test_one_place_has_no_entropy_and_all_alike_have_all_of_it():
    one = np.zeros((4, 4))
    one[2, 1] = 7.0
    assert looked_at(one) == (pytest.approx(float(REGION.weights[2, 1])), 0.0)
    assert looked_at(np.full((4, 4), 0.3)) == (pytest.approx(float(REGION.weights.mean()), abs=1e-6), pytest.approx(1))


def test_where_nothing_speaks_for_an_answer_nothing_is_known():
    assert np.isnan(looked_at(np.full((4, 4), -1.0))).all()


def test_a_region_is_read_as_it_was_written():
    read = Region.from_json(json.loads(REGION.as_json()))
    assert read.name == SUBJECT
    np.testing.assert_allclose(read.weights, REGION.weights, atol=1e-6)
    with pytest.raises(ValueError, match="rows and columns"):
        Region.from_json({"name": SUBJECT, "weights": []})


@pytest.mark.parametrize("grid", [(4, 4), (7, 7), (3, 5), (12, 12)])
def test_each_place_holds_the_mean_of_its_pixels(grid):
    square = CHANCE.random((12, 12)).astype(np.float32)
    means = pooled(square, grid)
    assert means.shape == grid
    edges = [[round(side * 12 / count) for side in range(count + 1)] for count in grid]
    for row in range(grid[0]):
        for column in range(grid[1]):
            some = square[edges[0][row] : edges[0][row + 1], edges[1][column] : edges[1][column + 1]]
            assert means[row, column] == pytest.approx(float(some.mean()), rel=1e-5)


def asked_of(masks: list[str | None], subject: list[str], monkeypatch) -> Region:
    """Of pictures of 8 px; the mask `left` shows the head on the left half, `all` a hand everywhere."""
    squares = {"left": np.zeros((8, 8), np.uint8), "all": np.full((8, 8), 2, np.uint8)}
    squares["left"][:, :4] = 1
    monkeypatch.setattr(
        "totalml.release.region.masks_of", lambda blobs, *_: np.stack([squares[blob] for blob in blobs])
    )

    class Image(SimpleNamespace):
        def model_copy(self, update: dict[str, Any]) -> Image:
            return Image(**update)

    asked = SimpleNamespace(subject=subject, parts={"head": 1, "hand": 2})
    recipe: Any = SimpleNamespace(
        evaluation=SimpleNamespace(explanation=asked),
        features=SimpleNamespace(image=Image(size=8)),
        data=SimpleNamespace(max_megapixels=1.0),
    )
    snapshot: Any = SimpleNamespace(samples=pa.table({"mask": pa.array(masks, pa.string())}))
    store: Any = None
    return region_of(recipe, snapshot, np.arange(len(masks)), (2, 4), store)


def test_the_region_is_where_masks_show_the_subject(monkeypatch):
    found = asked_of(["left", None, "all", "left", "left"], ["head"], monkeypatch)
    assert found.name == SUBJECT
    np.testing.assert_allclose(found.weights, [[0.75, 0.75, 0, 0]] * 2)


@pytest.mark.parametrize(("masks", "subject"), [([None, None], ["head"]), (["left"], [])])
def test_without_masks_of_a_subject_it_is_the_middle_quarter_of_the_picture(masks, subject, monkeypatch):
    found = asked_of(masks, subject, monkeypatch)
    assert found.name == MIDDLE
    np.testing.assert_allclose(found.weights, [[0, 0.5, 0.5, 0]] * 2)
    assert found.weights.mean() == 0.25


def test_rows_that_were_not_asked_are_unknown_and_the_others_keep_their_places():
    asked = np.array([False, True, False, True])
    found = of_rows(["subject", "entropy"], asked, {"subject": np.float32([0.25, 0.5])})
    np.testing.assert_array_equal(found["subject"], np.float32([np.nan, 0.25, np.nan, 0.5]))
    assert np.isnan(found["entropy"]).all()
    assert found["entropy"].shape == (4,)
