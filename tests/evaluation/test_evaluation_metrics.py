"""The metrics against loops over pairs, thresholds and bins that nobody would call fast."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.evaluation.classification.point import confusion_matrix, point_figures
from totalml.evaluation.classification.scores import Scores
from totalml.evaluation.classification.weighted import WeightedMetrics


def drawn_scores(seed, samples=60, classes=3, levels=7, positive=None, bins=5):
    """Few score levels, so that ties are common."""
    generator = np.random.default_rng(seed)
    raw = generator.integers(1, levels, (samples, classes)).astype(float)
    return Scores(generator.integers(0, classes, samples), raw / raw.sum(1, keepdims=True), positive, bins)


def with_counts(scores, counts):
    return Scores(
        np.repeat(scores.labels, counts),
        np.repeat(scores.probabilities, counts, axis=0),
        scores.positive,
        scores.bins,
        None if scores.gold is None else np.repeat(scores.gold, counts),
    )


def pairwise_auroc(score, positive):
    pairs = [(p > n) + (p == n) / 2 for p in score[positive] for n in score[~positive]]
    return np.mean(pairs)


def stepwise_average_precision(score, positive):
    area, recall_before = 0.0, 0.0
    for threshold in sorted(set(score), reverse=True):
        taken = score >= threshold
        recall = (taken & positive).sum() / positive.sum()
        area += (recall - recall_before) * (taken & positive).sum() / taken.sum()
        recall_before = recall
    return area


def binned_calibration_error(scores):
    gap = 0.0
    for low in range(scores.bins):
        high = low + 1
        inside = (scores.confidence >= low / scores.bins) & (scores.confidence < high / scores.bins)
        if high == scores.bins:
            inside |= scores.confidence == 1
        if inside.any():
            right = (scores.labels == scores.predicted)[inside].mean()
            gap += inside.mean() * abs(right - scores.confidence[inside].mean())
    return gap


@pytest.mark.parametrize(
    "figures", [point_figures, lambda s: WeightedMetrics(s).of(np.ones((1, len(s.labels)), np.int32))]
)
@pytest.mark.parametrize("seed", range(4))
def test_figures_equal_their_definitions(figures, seed):
    scores = drawn_scores(seed)
    found = figures(scores)
    for k in range(3):
        is_label, is_call = scores.labels == k, scores.predicted == k
        hits = (is_label & is_call).sum()
        expected = {
            "precision": hits / is_call.sum(),
            "recall": hits / is_label.sum(),
            "f1": 2 * hits / (is_call.sum() + is_label.sum()),
            "auroc": pairwise_auroc(scores.probabilities[:, k], is_label),
            "average_precision": stepwise_average_precision(scores.probabilities[:, k], is_label),
        }
        for name, value in expected.items():
            assert found.per_class[name][0, k] == pytest.approx(value, abs=2e-6), name
    recalls = found.per_class["recall"][0]
    assert found.overall["accuracy"] == pytest.approx((scores.labels == scores.predicted).mean())
    assert found.overall["balanced_accuracy"] == pytest.approx(recalls.mean())
    assert found.overall["f1"] == pytest.approx(found.per_class["f1"][0].mean())
    assert found.overall["ece"] == pytest.approx(binned_calibration_error(scores), abs=1e-6)


def test_binary_figures_are_those_of_the_positive_class():
    scores = drawn_scores(0, classes=2, positive=0)
    for figures in (point_figures(scores), WeightedMetrics(scores).of(np.ones((1, 60), np.int32))):
        for name in ("f1", "auroc", "average_precision"):
            assert figures.overall[name] == pytest.approx(figures.per_class[name][0, 0])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4), st.booleans())
def test_a_weighting_counts_a_sample_as_often_as_its_count_says(seed, classes, with_gold):
    scores = drawn_scores(seed, samples=25, classes=classes, positive=1 if classes == 2 else None)
    generator = np.random.default_rng(seed)
    if with_gold:
        scores = Scores(
            scores.labels, scores.probabilities, scores.positive, scores.bins, generator.integers(-1, classes, 25)
        )
    counts = generator.integers(0, 3, (3, 25)).astype(np.int32)
    counts[:, 0] += 1
    found = WeightedMetrics(scores).of(counts)
    for row in range(3):
        expected = point_figures(with_counts(scores, counts[row]))
        for name, values in expected.overall.items():
            assert found.overall[name][row] == pytest.approx(values[0], abs=2e-6, nan_ok=True), name
        for name, values in expected.per_class.items():
            assert found.per_class[name][row] == pytest.approx(values[0], abs=2e-6, nan_ok=True), name


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([np.sqrt, np.square, np.arctan, lambda p: 3 * p + 1]))
def test_a_monotone_change_of_scores_leaves_the_ranking_metrics(seed, change):
    scores = drawn_scores(seed, classes=2, positive=1)
    changed = Scores(scores.labels, change(scores.probabilities), 1, scores.bins)
    ones = np.ones((1, 60), np.int32)
    before, after = WeightedMetrics(scores).of(ones), WeightedMetrics(changed).of(ones)
    for name in ("auroc", "average_precision"):
        assert after.per_class[name] == pytest.approx(before.per_class[name])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_the_order_of_samples_does_not_matter(seed):
    scores = drawn_scores(seed)
    order = np.random.default_rng(seed).permutation(60)
    shuffled = Scores(scores.labels[order], scores.probabilities[order], None, scores.bins)
    for figures in (point_figures, lambda s: WeightedMetrics(s).of(np.ones((1, 60), np.int32))):
        before, after = figures(scores), figures(shuffled)
        for name, values in before.overall.items():
            assert after.overall[name] == pytest.approx(values, abs=1e-6)
    assert confusion_matrix(shuffled) == confusion_matrix(scores)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_swapping_the_sides_mirrors_the_auroc(seed):
    scores = drawn_scores(seed, classes=2, positive=1)
    swapped = Scores(1 - scores.labels, scores.probabilities, 1, scores.bins)
    auroc = [WeightedMetrics(one).of(np.ones((1, 60), np.int32)).overall["auroc"][0] for one in (scores, swapped)]
    assert sum(auroc) == pytest.approx(1)


def test_a_confidence_of_exactly_one_belongs_to_the_last_bin():
    scores = Scores(np.array([1, 0, 0]), np.array([[1.0, 0.0], [0.95, 0.05], [0.6, 0.4]]), 1, 15)
    assert scores.bin_of.tolist() == [14, 14, 9]
    # Last bin: 1.95 sure and one right, which in bins of their own would add up to 1.05 instead of 0.95.
    for figures in (point_figures(scores), WeightedMetrics(scores).of(np.ones((1, 3), np.int32))):
        assert figures.overall["ece"] == pytest.approx((0.95 + 0.4) / 3, abs=1e-6)


def test_rows_of_the_confusion_matrix_are_labels():
    scores = Scores(np.array([0, 0, 1]), np.array([[0.1, 0.9], [0.9, 0.1], [0.2, 0.8]]), 1, 15)
    assert confusion_matrix(scores) == ((1, 1), (0, 1))


def test_a_resample_of_one_class_has_no_ranking():
    scores = Scores(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), 1, 15)
    found = WeightedMetrics(scores).of(np.array([[0, 2, 1], [3, 0, 0], [1, 1, 1]], np.int32))
    for name in ("auroc", "average_precision"):
        assert np.isnan(found.per_class[name]).tolist() == [[True, True], [True, True], [False, False]]
