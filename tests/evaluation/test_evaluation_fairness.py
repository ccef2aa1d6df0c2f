"""Rates of groups, with fairlearn as a peer; planted unfairness found, and nothing said without it."""

import time

import numpy as np
import pytest

from totalml.evaluation.classification.scores import Scores
from totalml.evaluation.fairness.measure import measure_fairness
from totalml.recipe import EvaluationRecipe


def answers(world, said_good, seed=0, classes=2):
    """Labels drawn evenly; the model says good with the chance given for each, and is so sure of it."""
    chance = np.random.default_rng(seed)
    samples = len(world.table)
    labels = chance.integers(0, classes, samples)
    rate = said_good(labels)
    good = np.where(chance.random(samples) < rate, chance.uniform(0.5, 1, samples), chance.uniform(0, 0.5, samples))
    return Scores(labels, np.stack([1 - good, good], 1), 1, 15)


def measured(world, scores, classes=("bad", "good"), **recipe):
    asked = EvaluationRecipe(fairness={"columns": ["age_group"]} | recipe)
    return measure_fairness(asked, asked.fairness, world.context, scores, classes)


def fair(labels):
    return np.where(labels == 1, 0.9, 0.1)


def test_the_rates_are_those_of_fairlearn(world):
    metrics = pytest.importorskip("fairlearn.metrics")
    pints = world(800)
    scores = answers(pints, fair)
    peers = {
        "selection_rate": metrics.selection_rate,
        "true_positive_rate": metrics.true_positive_rate,
        "false_positive_rate": metrics.false_positive_rate,
    }
    frame = metrics.MetricFrame(
        metrics=peers, y_true=scores.labels, y_pred=scores.predicted, sensitive_features=pints.age
    )
    for one in measured(pints, scores).figures:
        if one.figure in peers:
            age = one.group.removeprefix("age group ")
            assert one.value.value == pytest.approx(frame.by_group[one.figure][age])


def test_calibration_is_the_probability_beside_the_share(world):
    pints = world(800)
    scores = answers(pints, fair)
    for one in measured(pints, scores).figures:
        if one.figure == "calibration":
            inside = pints.age == one.group.removeprefix("age group ")
            own, rest = (
                scores.probabilities[part, 1].mean() - (scores.labels[part] == 1).mean() for part in (inside, ~inside)
            )
            assert one.value.value == pytest.approx(own)
            assert one.gap.value == pytest.approx(own - rest)
            assert one.count == inside.sum()


def test_a_group_that_is_favoured_is_found(world):
    pints = world(1500)
    young = pints.age == "18-25"
    scores = answers(pints, lambda labels: np.where(young & (labels == 0), 0.5, fair(labels)))
    gaps = {(one.figure, one.group) for one in measured(pints, scores).gaps()}
    assert ("false_positive_rate", "age group 18-25") in gaps
    assert ("true_positive_rate", "age group 18-25") not in gaps
    assert measured(pints, scores).gaps()[0].group == "age group 18-25"


def test_a_gap_counts_only_beyond_the_tolerance_and_with_enough_samples(world):
    pints = world(1500)
    old = pints.age == "61+"
    scores = answers(pints, lambda labels: np.where(old & (labels == 1), 0.4, fair(labels)))
    assert measured(pints, scores).gaps()
    assert not measured(pints, scores, tolerance=0.6).gaps()
    few = measured(pints, scores, min_support=int(old.sum()) + 1)
    assert not [one for one in few.gaps() if one.group == "age group 61+"]
    assert {one.gap.value for one in few.figures if one.group == "age group 61+"} == {None}


def test_a_fair_model_is_told_of_no_oftener_than_stated(world):
    """With no tolerance at all, the worst case; intervals hold for all gaps at once, at 95 %."""
    told = [bool(measured(w := world(600, k), answers(w, fair, k), tolerance=0.0).gaps()) for k in range(200)]
    assert np.mean(told) <= 0.05 + 2 * (0.05 * 0.95 / 200) ** 0.5


def test_with_three_classes_each_is_looked_at(world):
    pints = world(300)
    chance = np.random.default_rng(0)
    scores = Scores(chance.integers(0, 3, 300), chance.dirichlet(np.ones(3), 300), None, 15)
    found = measured(pints, scores, classes=("a", "b", "c"))
    assert {one.label for one in found.figures} == {"a", "b", "c"}
    said = {one.group: one.value.value for one in found.figures if one.figure == "selection_rate" and one.label == "b"}
    assert said["age group 61+"] == pytest.approx((scores.predicted[pints.age == "61+"] == 1).mean())


def test_a_hundred_thousand_samples_take_well_under_a_second(world):
    pints = world(100_000)
    scores = answers(pints, fair)
    start = time.process_time()
    measured(pints, scores, columns=["age_group", "glass", "pub", "device"])
    # Measured: 0.02 CPU s; a busy machine is given room.
    assert time.process_time() - start < 1
