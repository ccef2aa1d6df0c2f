"""Temperature and threshold against models whose true temperature and best threshold are known."""

import time

import numpy as np
import pytest

from totalml.errors import EvaluationError
from totalml.evaluation import check_before_training
from totalml.evaluation.calibration.bins import calibration_bins
from totalml.evaluation.calibration.measure import measure_calibration
from totalml.evaluation.calibration.temperature import fit_temperature, log_loss, scaled
from totalml.evaluation.calibration.threshold import choose_threshold
from totalml.evaluation.classification.scores import Scores
from totalml.recipe import EvaluationRecipe

COSTS = {"good": {"bad": 5.0}, "bad": {"good": 1.0}}


def drawn(samples, seed=0, temperature=1.0, classes=2):
    """Labels drawn from true probabilities, and what a model says whose logits are `temperature` times too large."""
    chance = np.random.default_rng(seed)
    logits = chance.normal(size=(samples, classes)) * 2.5
    true, said = (np.exp(part) / np.exp(part).sum(1, keepdims=True) for part in (logits, logits * temperature))
    labels = (true.cumsum(1) > chance.random((samples, 1))).argmax(1)
    return Scores(labels, said, 1 if classes == 2 else None, 15)


def checked(test, validation, costs=None, **recipe):
    asked = EvaluationRecipe(calibration={"costs": costs} | recipe)
    given = (validation.labels, validation.probabilities)
    return measure_calibration(asked, asked.calibration, test, calibration_bins(test), given, ("bad", "good"))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("classes", [2, 5])
def test_the_true_temperature_is_found(temperature, classes):
    scores = drawn(20_000, 1, temperature, classes)
    found = fit_temperature(scores.probabilities, scores.labels, 1.96)
    assert found.value == pytest.approx(temperature, rel=0.05)
    assert found.low < temperature < found.high


def test_no_other_temperature_fits_better():
    scores = drawn(300, 2, 2.0)
    found = fit_temperature(scores.probabilities, scores.labels, 1.96).value
    losses = [log_loss(scaled(scores.probabilities, one), scores.labels) for one in np.geomspace(0.1, 10, 400)]
    assert log_loss(scaled(scores.probabilities, found), scores.labels) <= min(losses) + 1e-12


def test_the_interval_covers_the_truth_as_often_as_it_says():
    found = [fit_temperature(one.probabilities, one.labels, 1.96) for one in (drawn(300, k, 2.0) for k in range(200))]
    assert 0.91 <= np.mean([one.low <= 2.0 <= one.high for one in found]) <= 0.99


@pytest.mark.parametrize("right", [True, False])
def test_a_validation_split_that_sets_no_bound_scales_nothing(right):
    said = np.tile([0.9, 0.1], (40, 1))
    labels = np.full(40, 0 if right else 1)
    found = fit_temperature(said, labels, 1.96)
    assert found.value is None
    assert "sets no bound" in found.note
    test = drawn(50)
    kept = checked(test, Scores(labels, said, 1, 15)).temperature
    assert kept.log_loss_scaled == pytest.approx(kept.log_loss)
    assert np.isfinite(kept.log_loss)


def test_scaling_mends_a_model_that_is_too_sure():
    test, validation = drawn(4000, 3, 4.0), drawn(4000, 4, 4.0)
    found = checked(test, validation)
    assert found.off
    assert found.sureness.low > found.tolerance
    assert found.temperature.ece > 0.08
    assert found.temperature.ece_scaled < 0.03
    assert (scaled(test.probabilities, 4.0).argmax(1) == test.predicted).all()


def test_a_calibrated_model_is_called_off_no_oftener_than_stated():
    """Without any tolerance; the interval is one of 95 %, with both sides beyond it counted."""
    told = [checked(drawn(300, k), drawn(300, 1000 + k), tolerance=0.0).off for k in range(200)]
    assert np.mean(told) <= 0.05 + 2 * (0.05 * 0.95 / 200) ** 0.5
    assert not any(checked(drawn(300, k), drawn(300, 1000 + k)).off for k in range(10))


def test_no_threshold_costs_less_on_validation():
    validation, test = drawn(250, 5), drawn(250, 6)
    found = choose_threshold(COSTS, ("bad", "good"), validation, test, 1.96)
    good, labels = validation.probabilities[:, 1], validation.labels

    def cost(threshold, good=good, labels=labels):
        said = good >= threshold
        return (5 * (~said & (labels == 1)) + (said & (labels == 0))).mean()

    tried = [cost(threshold) for threshold in [*np.unique(good), 0.0, 1.1]]
    assert cost(found.value) == pytest.approx(min(tried))
    assert [one[1] for one in found.curve] == pytest.approx([cost(one[0]) for one in found.curve[:-1]] + [cost(1.1)])
    assert found.cost == pytest.approx(cost(found.value, test.probabilities[:, 1], test.labels))
    assert found.default_cost == pytest.approx(cost(0.5, test.probabilities[:, 1], test.labels))
    assert found.saving.value == pytest.approx(found.default_cost - found.cost)


def test_the_threshold_nears_what_the_costs_ask_for():
    found = choose_threshold(COSTS, ("bad", "good"), drawn(50_000, 7), drawn(50_000, 8), 1.96)
    assert found.value == pytest.approx(1 / 6, abs=0.03)
    assert found.saving.low > 0


def test_where_every_threshold_costs_the_same_the_expected_one_is_taken():
    perfect = Scores(np.array([0, 1] * 20), np.array([[1.0, 0.0], [0.0, 1.0]] * 20), 1, 15)
    found = choose_threshold(COSTS, ("bad", "good"), perfect, perfect, 1.96)
    assert (found.value, found.cost) == (0.5, 0.0)


@pytest.mark.parametrize(
    ("costs", "classes", "message"),
    [
        ({"good": {"bad": 1.0}}, ("bad", "good"), "lacks the cost of saying 'good' where the label is 'bad'"),
        ({"goood": {"bad": 1.0}}, ("bad", "good"), "'goood', which is no class.*'good'"),
        (COSTS, ("bad", "good", "fair"), "there are 3. Remove it"),
    ],
)
def test_costs_that_do_not_fit_are_refused_before_training(world, costs, classes, message):
    asked = EvaluationRecipe(calibration={"costs": costs})
    with pytest.raises(EvaluationError, match=message):
        check_before_training(asked, classes, world(5).table, pictures=False)


def test_a_hundred_thousand_samples_take_well_under_a_second():
    test, validation = drawn(100_000, 1, 2.0), drawn(100_000, 2, 2.0)
    start = time.process_time()
    checked(test, validation, COSTS)
    # Measured: 0.4 CPU s; a busy machine is given room.
    assert time.process_time() - start < 2
