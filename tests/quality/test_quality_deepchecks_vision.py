"""The real deepchecks on pictures; skipped where the extra is not installed."""

import os
import random
import sys

import numpy as np
import pytest
import torch

from tests.quality.drawn import photos
from totalml.errors import MissingExtraError
from totalml.quality import DeepchecksVision

# Asking for it before `totalml` does would let it report to its maker.
os.environ.setdefault("DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY", "True")
COUNT = 200


@pytest.fixture(scope="module", autouse=True)
def _deepchecks():
    import warnings

    with warnings.catch_warnings(action="ignore"):
        pytest.importorskip("deepchecks.vision")


@pytest.fixture
def labels():
    return np.random.default_rng(0).choice(["bad", "good"], COUNT).tolist()


@pytest.fixture
def split(splits_of):
    return splits_of("t" * 100 + "v" * 20 + "e" * 80)


def asked(check, *given):
    suite, *_ = check.findings(*given)
    return suite


def failed(suite):
    return {one.check: one.says for one in suite.of("failed", "warned", "could not run")}


def test_brighter_pictures_in_test_are_drift(snapshot_of, pictures_of, labels, split):
    images = photos(COUNT)
    check = DeepchecksVision(suite="train_test_validation", conditions=[{"check": "ImageDatasetDrift"}])
    assert failed(asked(check, snapshot_of(labels), split, pictures_of(images))) == {}
    brighter = images.copy()
    brighter[split.test] = 100 + brighter[split.test] // 2
    suite = asked(check, snapshot_of(labels), split, pictures_of(brighter))
    assert "Brightness" in failed(suite)["Image Property Drift"]
    assert "Image Dataset Drift" in failed(suite)


def test_another_share_of_a_label_in_test_is_drift(snapshot_of, pictures_of, split):
    labels = np.where(np.arange(COUNT) < 120, np.arange(COUNT) % 2, 1)
    named = np.array(["bad", "good"])[labels].tolist()
    suite = asked(
        DeepchecksVision(suite="train_test_validation"), snapshot_of(named), split, pictures_of(photos(COUNT))
    )
    assert "Label Drift" in failed(suite)


def test_a_property_that_gives_the_label_away_is_found(snapshot_of, pictures_of, labels, split):
    images = photos(COUNT)
    bright = np.array(labels) == "good"
    images[bright] = 150 + images[bright] // 3
    images[~bright] //= 3
    check = DeepchecksVision(suite="data_integrity", conditions=[{"check": "PropertyLabelCorrelation"}])
    assert (
        "Brightness"
        in failed(asked(check, snapshot_of(labels), split, pictures_of(images)))["Property Label Correlation"]
    )
    assert failed(asked(check, snapshot_of(labels), split, pictures_of(photos(COUNT)))) == {}


def test_outliers_count_against_the_limit_of_the_recipe(snapshot_of, pictures_of, labels, split):
    images = photos(COUNT)
    images[:20] = 255
    told = {}
    for ratio in (0.05, 0.5):
        condition = {"check": "ImagePropertyOutliers", "limits": {"max_ratio": ratio}}
        check = DeepchecksVision(suite="data_integrity", conditions=[condition])
        told[ratio] = failed(asked(check, snapshot_of(labels), split, pictures_of(images)))
    assert "Brightness 11.1%" in told[0.05]["Image Property Outliers"]  # 20 of the 180 in train and test
    assert told[0.5] == {}


def test_at_most_so_many_pictures_are_read_the_same_every_time(snapshot_of, pictures_of, labels, split):
    check = DeepchecksVision(suite="train_test_validation", samples=30)
    pictures = pictures_of(photos(COUNT))
    read: list[list[int]] = []
    gather = pictures.gather
    pictures.gather = lambda rows: read.append(rows.tolist()) or gather(rows)
    first = asked(check, snapshot_of(labels), split, pictures)
    rows = {row for part in read for row in part}
    read.clear()
    assert asked(check, snapshot_of(labels), split, pictures) == first
    assert {row for part in read for row in part} == rows
    assert (first.samples, len(rows)) == (60, 60)
    assert rows <= {*split.train.tolist(), *split.test.tolist()}


def test_pictures_without_label_are_left_out(snapshot_of, pictures_of, split):
    check, pictures = DeepchecksVision(suite="data_integrity"), pictures_of(photos(COUNT))
    assert asked(check, snapshot_of([None, "a"] * 100), split, pictures).samples == 90
    nothing = asked(check, snapshot_of([None] * COUNT), split, pictures)
    assert nothing.not_run == "there are no labelled pictures to look at"


def test_a_part_of_the_extra_that_is_missing_is_told(snapshot_of, pictures_of, labels, split, monkeypatch):
    monkeypatch.setitem(sys.modules, "deepchecks.vision", None)
    given = snapshot_of(labels), split, pictures_of(photos(COUNT))
    suite, finding = DeepchecksVision(suite="data_integrity").findings(*given)
    assert finding.message == f"data_integrity: not run: {suite.not_run}"
    assert finding.message.endswith('python -m pip install "totalml[deepchecks]"')
    with pytest.raises(MissingExtraError):
        list(DeepchecksVision(suite="data_integrity", level="stop").findings(*given))


def test_random_numbers_of_ours_are_left_alone(snapshot_of, pictures_of, labels, split):
    """Deepchecks seeds those of Python, numpy and torch."""

    def seed():
        random.seed(7)
        np.random.seed(7)
        torch.manual_seed(7)

    def draw():
        return random.random(), np.random.random(), float(torch.rand(()))

    seed()
    expected = draw()
    seed()
    asked(DeepchecksVision(suite="data_integrity"), snapshot_of(labels), split, pictures_of(photos(COUNT)))
    assert draw() == expected
