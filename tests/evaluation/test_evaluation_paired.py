"""The difference of two models on the same samples, with an interval that a brute force gives too."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tests.evaluated import classified
from totalml.evaluation.paired import paired


def predictions(right, ids=None):
    """Predictions that are right where `right` is true."""
    ids = [f"{number:03d}" for number in range(len(right))] if ids is None else ids
    said = ["a" if each else "b" for each in right]
    table = pa.table({"id": ids, "label": ["a"] * len(right), "predicted": said})
    return classified(table)


@pytest.fixture
def two_models():
    generator = np.random.default_rng(7)
    return generator.random(300) < 0.80, generator.random(300) < 0.86


def test_the_interval_is_that_of_resampling_the_samples_one_by_one(two_models):
    old, new = two_models
    found = paired(predictions(old), predictions(new))
    generator = np.random.default_rng(1)
    rows = generator.integers(0, 300, (4000, 300))
    brute = np.percentile((new[rows].astype(float) - old[rows]).mean(axis=1), [2.5, 97.5])
    assert found.difference == pytest.approx(new.mean() - old.mean())
    assert (found.gained, found.lost) == (int((new & ~old).sum()), int((old & ~new).sum()))
    assert [found.low, found.high] == pytest.approx(brute, abs=0.006)


def test_rows_are_matched_by_id_and_not_by_place(two_models):
    old, new = map(predictions, two_models)
    order = np.random.default_rng(3).permutation(300)
    shuffled = replace(new, predictions=new.predictions.take(order))
    assert paired(old, shuffled) == paired(old, new)


def test_swapping_the_sides_swaps_the_sign(two_models):
    old, new = map(predictions, two_models)
    forth, back = paired(old, new), paired(new, old)
    assert (forth.difference, forth.gained) == (-back.difference, back.lost)
    assert [forth.low, forth.high] == pytest.approx([-back.high, -back.low], abs=0.006)


def test_other_samples_are_not_compared():
    assert paired(predictions([1, 0], ids=["x", "y"]), predictions([1, 0], ids=["x", "z"])) is None
    assert paired(predictions([1, 0]), predictions([1])) is None
