"""Chance neither passes nor fails a model against production more often than stated."""

import itertools
from math import comb

import numpy as np
import pytest

from totalml.evaluation import evaluate
from totalml.evaluation.classification.paired_differences import paired_differences
from totalml.evaluation.paired_shares import paired_bounds
from totalml.gates.outcome import outcome
from totalml.recipe import EvaluationRecipe

TAIL = 0.025  # stated: 95 % intervals, so 2.5 % on either side


@pytest.mark.parametrize(("count", "differ"), [(30, 0.1), (60, 0.05), (60, 0.3), (120, 0.02)])
def test_equal_models_pass_surely_or_fail_no_more_often_than_stated(count, differ):
    """Exactly, over every number of samples that only one of two equally good models gets right."""
    passes = fails = 0.0
    for both in range(count + 1):
        chance = comb(count, both) * differ**both * (1 - differ) ** (count - both)
        if chance < 1e-12:
            continue
        for gained in range(both + 1):
            low, high = paired_bounds(gained, both - gained, count, 0.95)
            weight = chance * comb(both, gained) / 2**both
            passes += weight * (low >= 0)
            fails += weight * (high < 0)
    assert passes == pytest.approx(fails)
    assert 0 <= fails <= TAIL


@pytest.mark.parametrize(("only_new", "only_old"), [(0.02, 0.12), (0.0, 0.05), (0.2, 0.1), (0.03, 0.0)])
def test_the_bounds_hold_the_true_difference_as_often_as_stated(only_new, only_old):
    count, held = 50, 0.0
    for gained, lost in itertools.product(range(count + 1), repeat=2):
        if gained + lost > count:
            continue
        rest = count - gained - lost
        chance = comb(count, gained) * comb(count - gained, lost)
        chance *= only_new**gained * only_old**lost * (1 - only_new - only_old) ** rest
        if chance > 1e-9:
            low, high = paired_bounds(gained, lost, count, 0.95)
            held += chance * (low <= only_new - only_old <= high)
    assert held >= 0.95


def test_where_nothing_differs_the_bounds_still_have_a_width():
    low, high = paired_bounds(0, 0, 300, 0.95)
    assert -0.03 < low < -0.01
    assert high == -low


def test_resampled_metrics_of_equal_models_rarely_pass_or_fail():
    """Two models with the same chance of being right, on three hundred samples, a hundred times."""
    chance = np.random.default_rng(0)
    asked = EvaluationRecipe(bootstrap=200, slices=None, calibration=None)
    rounds, found = 100, {"f1": [], "auroc": [], "balanced_accuracy": []}
    for _ in range(rounds):
        labels = chance.integers(0, 2, 300)
        models = [_scores(chance, labels) for _ in range(2)]
        ids = [str(k) for k in range(300)]
        ours, theirs = (evaluate(asked, ("bad", "good"), ids, labels, model, None, 0) for model in models)
        differences = paired_differences(ours, theirs)
        for metric, outcomes in found.items():
            outcomes.append(outcome(differences[metric], 0.0, float("inf")))
    for metric, outcomes in found.items():
        # 2.5 % on either side, and three standard errors of a hundred rounds.
        allowed = rounds * TAIL + 3 * np.sqrt(rounds * TAIL * (1 - TAIL))
        assert outcomes.count("passed") <= allowed, metric
        assert outcomes.count("failed") <= allowed, metric
        assert outcomes.count("undecided") >= 0.85 * rounds


def _scores(chance, labels):
    good = 1 / (1 + np.exp(-(np.where(labels == 1, 1.5, -1.5) + chance.normal(0, 1.2, len(labels)))))
    return np.stack([1 - good, good], axis=1)
