"""Labels that one person swapped are found by what samples of other people look like."""

import numpy as np
import pytest

from tests.quality import drawn
from totalml.quality import LabelAgreement

COUNT = 400


@pytest.fixture
def labelled(snapshot_of, splits_of, pictures_of):
    """Photos that are brighter at the top where they are `good`, of 20 uploaders; `swapped` change some labels."""

    def make(swapped, seed=0, right=0.9):
        random = np.random.default_rng(seed)
        images = drawn.photos(COUNT, seed) // 2
        uploader = random.integers(0, 20, COUNT)
        good = random.random(COUNT) < 0.5
        images[good, : drawn.SIDE // 2] += 90
        said = np.where(random.random(COUNT) < right, good, ~good)
        said = np.where(swapped(uploader, random), ~said, said)
        labels = np.where(said, "good", "bad").tolist()
        columns = {"uploader": [f"u{k:02d}" for k in uploader], "rule": np.where(good, "good", "bad").tolist()}
        return snapshot_of(labels, **columns), splits_of("t" * COUNT), pictures_of(images)

    return make


def test_an_uploader_who_swapped_labels_is_named_and_nobody_else(labelled):
    [finding] = LabelAgreement().findings(*labelled(lambda uploader, _: uploader == 7))
    assert "the labels of uploader 'u07' contradict those of samples that look alike" in finding.message
    assert finding.samples


@pytest.mark.parametrize("seed", range(10))
def test_honest_mistakes_name_nobody(labelled, seed):
    """One label in ten is wrong, whoever gave it; the column `rule`, which nearly repeats the label, is no group."""
    assert list(LabelAgreement().findings(*labelled(lambda uploader, _: uploader < 0, seed))) == []


def test_somebody_who_errs_a_little_more_than_the_others_is_not_accused(labelled):
    erring = labelled(lambda uploader, random: (uploader == 7) & (random.random(COUNT) < 0.15))
    assert list(LabelAgreement().findings(*erring)) == []


def test_labels_that_nothing_tells_cannot_be_judged(snapshot_of, splits_of, pictures_of):
    random = np.random.default_rng(0)
    labels = random.choice(["a", "b", None], COUNT).tolist()
    snapshot = snapshot_of(labels, pub=random.choice(["x", "y", "z"], COUNT).tolist())
    assert list(LabelAgreement().findings(snapshot, splits_of("t" * COUNT), pictures_of(drawn.photos(COUNT)))) == []


def test_a_column_that_nearly_repeats_the_label_accuses_nobody(snapshot_of, splits_of, pictures_of):
    """Learnt almost from the other label alone, nearly every guess would be that one."""
    random = np.random.default_rng(0)
    rule = random.random(COUNT) < 0.5
    labels = (rule | (random.random(COUNT) < 0.04)).astype(str).tolist()
    snapshot = snapshot_of(labels, rule=rule.astype(str).tolist())
    assert list(LabelAgreement().findings(snapshot, splits_of("t" * COUNT), pictures_of(drawn.photos(COUNT)))) == []
