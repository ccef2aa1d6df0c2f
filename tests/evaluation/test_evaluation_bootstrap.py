import time

import numpy as np
import pytest

from totalml.evaluation import bootstrap as subject
from totalml.evaluation.bootstrap import resample_counts
from totalml.evaluation.classification.point import point_figures
from totalml.evaluation.classification.scores import Scores
from totalml.evaluation.classification.weighted import WeightedMetrics
from totalml.evaluation.resampled import bootstrap, bounds


def some_scores(samples=40, classes=3, seed=0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, samples)
    logits = generator.normal(size=(samples, classes))
    logits[np.arange(samples), labels] += 1
    raw = np.exp(logits)
    return Scores(labels, raw / raw.sum(1, keepdims=True), None if classes > 2 else 1, 15)


def drawn_figures(scores, resamples, seed):
    return bootstrap(WeightedMetrics(scores), len(scores.labels), resamples, seed)


def bounds_of(scores, resamples, confidence, seed):
    metrics = WeightedMetrics(scores)
    return bounds(metrics, len(scores.labels), point_figures(scores), resamples, confidence, seed)


def resampled(scores, picked):
    return Scores(scores.labels[picked], scores.probabilities[picked], scores.positive, scores.bins)


def test_resampling_equals_a_loop_over_resamples():
    scores = some_scores()
    drawn = np.random.Generator(np.random.PCG64(7)).integers(0, 40, (50, 40))
    loop = [point_figures(resampled(scores, picked)) for picked in drawn]
    found = drawn_figures(scores, 50, seed=7)
    for name, values in found.overall.items():
        assert values == pytest.approx([one.overall[name][0] for one in loop], abs=2e-6), name
    for name, values in found.per_class.items():
        expected = np.stack([one.per_class[name][0] for one in loop])
        assert values == pytest.approx(expected, abs=2e-6, nan_ok=True), name


def test_every_resample_has_the_size_of_the_sample():
    rows = np.concatenate(list(resample_counts(13, 100, seed=1)))
    assert rows.shape == (100, 13)
    assert (rows.sum(axis=1) == 13).all()
    assert rows.mean() == pytest.approx(1)
    assert rows.var() == pytest.approx(12 / 13, abs=0.15)


def test_samples_that_are_one_fact_are_drawn_together():
    together = np.array([2, 0, 1, 1, 2, 2, 3])
    rows = np.concatenate(list(resample_counts(7, 400, 1, together)))
    of_units = np.concatenate(list(resample_counts(4, 400, 1)))
    assert np.array_equal(rows, of_units[:, together])
    assert (of_units.sum(axis=1) == 4).all()


def test_the_size_of_a_chunk_changes_nothing(monkeypatch):
    whole = drawn_figures(some_scores(), 30, seed=3)
    monkeypatch.setattr(subject, "CHUNK_ELEMENTS", 7 * 40)
    for name, values in drawn_figures(some_scores(), 30, seed=3).overall.items():
        assert np.array_equal(values, whole.overall[name])


def test_a_seed_gives_one_result_and_another_seed_another():
    one, same, other = (drawn_figures(some_scores(), 20, seed).overall["accuracy"] for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_interval_of_accuracy_agrees_with_the_binomial():
    correct = np.arange(400) < 300
    labels = np.where(correct, 0, 1)
    scores = Scores(labels, np.tile([0.7, 0.3], (400, 1)), 1, 15)
    low, high = bounds_of(scores, 4000, 0.95, seed=0)
    half = 1.96 * (0.75 * 0.25 / 400) ** 0.5
    assert low.overall["accuracy"][0] == pytest.approx(0.75 - half, abs=0.006)
    assert high.overall["accuracy"][0] == pytest.approx(0.75 + half, abs=0.006)


def test_intervals_cover_the_truth_as_often_as_they_say():
    covered = 0
    for seed in range(100):
        right = np.random.default_rng(seed).random(200) < 0.8
        scores = Scores(np.where(right, 0, 1), np.tile([0.7, 0.3], (200, 1)), 1, 15)
        low, high = bounds_of(scores, 200, 0.9, seed)
        covered += low.overall["accuracy"][0] <= 0.8 <= high.overall["accuracy"][0]
    assert 82 <= covered <= 97


def test_a_thousand_resamples_of_ten_thousand_samples_take_seconds():
    scores = some_scores(samples=10_000, classes=2)
    start = time.process_time()
    drawn_figures(scores, 1000, seed=0)
    # Measured: 0.7 CPU s; a loop over metric calls takes minutes.
    assert time.process_time() - start < 10
