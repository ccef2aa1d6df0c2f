import json
import math

import numpy as np
import pytest

from totalml.errors import EvaluationError
from totalml.evaluation import check_positive, evaluate
from totalml.recipe import EvaluationRecipe

QUICK = {"bootstrap": 50}


def evaluated(labels, probabilities, classes=("bad", "good"), gold=None, seed=0, **recipe):
    labels = np.array(labels)
    ids = [f"s{k}" for k in range(len(labels))]
    return evaluate(
        EvaluationRecipe(**(QUICK | recipe)), classes, ids, labels, np.array(probabilities, np.float32), gold, seed
    )


def fixed_case(classes=3, samples=80):
    generator = np.random.default_rng(5)
    labels = generator.integers(0, classes, samples)
    logits = generator.normal(size=(samples, classes))
    logits[np.arange(samples), labels] += 1.5
    raw = np.exp(logits)
    return labels, raw / raw.sum(1, keepdims=True)


def test_a_perfect_model_is_right_everywhere():
    found = evaluated([0, 1, 0, 1], [[1, 0], [0, 1], [1, 0], [0, 1]])
    values = {name: metric.value for name, metric in found.metrics.items()}
    assert values == {
        "accuracy": 1,
        "balanced_accuracy": 1,
        "f1": 1,
        "auroc": 1,
        "average_precision": 1,
        "ece": pytest.approx(0, abs=1e-6),
    }
    assert found.confusion == ((2, 0), (0, 2))


def test_f1_looks_for_the_positive_class():
    labels, probabilities = [1, 1, 1, 0], [[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]]
    good = evaluated(labels, probabilities, positive="good")
    bad = evaluated(labels, probabilities, positive="bad")
    assert good.metrics["f1"].value == pytest.approx(2 * 2 / (3 + 3))
    assert bad.metrics["f1"].value == 0
    assert (good.positive, bad.positive) == ("good", "bad")
    assert evaluated(labels, probabilities).positive == "good"


def test_three_classes_give_macro_averages():
    labels, probabilities = fixed_case()
    found = evaluated(labels, probabilities, classes=("a", "b", "c"))
    for name in ("f1", "auroc", "average_precision"):
        mean = np.mean([found.per_class[label][name].value for label in "abc"])
        assert found.metrics[name].value == pytest.approx(mean)
    assert found.positive is None


def test_a_class_without_test_samples_is_undefined_and_says_so():
    found = evaluated([0, 1, 0], [[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.5, 0.4, 0.1]], classes=("a", "b", "c"))
    absent = found.per_class["c"]
    assert absent["support"] == 0
    for name in ("precision", "recall", "f1", "auroc", "average_precision"):
        assert absent[name].value is None
        assert absent[name].low is None
        assert "'c'" in absent[name].note
    assert found.metrics["auroc"].value == 1
    assert found.metrics["balanced_accuracy"].value == 1
    assert "without 'c'" in found.metrics["balanced_accuracy"].note


def test_a_test_split_of_one_class_has_no_ranking():
    found = evaluated([1, 1, 1], [[0.2, 0.8], [0.6, 0.4], [0.1, 0.9]])
    assert found.metrics["accuracy"].value == pytest.approx(2 / 3)
    for name in ("auroc", "average_precision"):
        assert found.metrics[name].value is None
        assert "every sample of the test split is of class 'good'" in found.metrics[name].note
    text = json.dumps(found.as_json(), allow_nan=False)
    assert "NaN" not in text


def test_a_single_sample_can_be_evaluated():
    found = evaluated([0], [[0.9, 0.1]])
    assert found.metrics["accuracy"].value == 1
    assert found.metrics["auroc"].value is None


@pytest.mark.parametrize("bootstrap", [0, 50])
def test_intervals_exist_only_where_there_are_resamples(bootstrap):
    labels, probabilities = fixed_case(classes=2)
    accuracy = evaluated(labels, probabilities, bootstrap=bootstrap).metrics["accuracy"]
    if bootstrap:
        assert accuracy.low < accuracy.value < accuracy.high
    else:
        assert accuracy.low is None
        assert accuracy.high is None


def test_gold_labels_give_the_best_possible_accuracy():
    gold = ["good", "good", "bad", None]
    found = evaluated([1, 0, 0, 1], [[0.1, 0.9], [0.2, 0.8], [0.9, 0.1], [0.4, 0.6]], gold=gold)
    assert found.metrics["accuracy_against_gold"].value == 1
    assert found.metrics["best_possible_accuracy"].value == pytest.approx(2 / 3)
    assert found.metrics["best_possible_accuracy"].note == "1 of 4 samples has no gold label"
    assert found.predictions["gold"].to_pylist() == gold


def test_no_gold_label_at_all_is_undefined():
    found = evaluated([1, 0], [[0.1, 0.9], [0.2, 0.8]], gold=[None, None])
    assert found.metrics["best_possible_accuracy"].value is None
    assert found.metrics["best_possible_accuracy"].note


def test_predictions_are_kept_sample_by_sample():
    found = evaluated([1, 0], [[0.25, 0.75], [0.5, 0.5]])
    assert found.predictions.to_pylist() == [
        {"id": "s0", "label": "good", "predicted": "good", "confidence": 0.75, "p:bad": 0.25, "p:good": 0.75},
        {"id": "s1", "label": "bad", "predicted": "bad", "confidence": 0.5, "p:bad": 0.5, "p:good": 0.5},
    ]


def test_calibration_bins_hold_every_sample():
    labels, probabilities = fixed_case()
    found = evaluated(labels, probabilities, classes=("a", "b", "c"), calibration_bins=8)
    assert sum(one.count for one in found.calibration) == 80
    assert [one.low for one in found.calibration] == [k / 8 for k in range(8)]
    for one in found.calibration:
        assert (one.accuracy is None) == (one.count == 0)
        assert one.count == 0 or one.low <= one.confidence <= one.high
    gap = sum(one.count * abs(one.accuracy - one.confidence) for one in found.calibration if one.count) / 80
    assert found.metrics["ece"].value == pytest.approx(gap, abs=1e-6)


@pytest.mark.parametrize(
    ("classes", "positive", "message"),
    [
        (("bad", "good"), "goood", "is no class. Did you mean 'good'?"),
        (("bad", "good"), "zebra", r"The classes are \['bad', 'good'\]"),
        (("a", "b", "c"), "a", "macro averages. Remove it"),
        (("a",), None, "two classes or more"),
    ],
)
def test_a_positive_class_that_does_not_fit_is_refused(classes, positive, message):
    with pytest.raises(EvaluationError, match=message):
        check_positive(EvaluationRecipe(positive=positive), classes)


@pytest.mark.parametrize("bad", [[math.nan, 0.5], [math.inf, 0], [-0.1, 1.1], [0.2, 0.2]])
def test_predictions_that_are_no_probabilities_are_refused(bad):
    with pytest.raises(EvaluationError, match="1 of 3 predictions are no probabilities, first that of sample 's1'"):
        evaluated([0, 1, 1], [[0.5, 0.5], bad, [0.1, 0.9]])


def test_an_empty_test_split_is_refused():
    with pytest.raises(EvaluationError, match="the test split is empty"):
        evaluated(np.zeros(0, np.int64), np.zeros((0, 2)))


@pytest.mark.parametrize(
    ("labels", "probabilities", "gold", "message"),
    [
        ([0, 1], [[1, 0, 0], [0, 1, 0]], None, "expected a probability of each of the 2 classes"),
        ([0, 2], [[1, 0], [0, 1]], None, r"labels must lie in 0..1, got 0..2"),
        ([0, 1], [[1, 0], [0, 1]], ["bad"], "expected 2 gold labels, got 1"),
        ([0, 1], [[1, 0], [0, 1]], ["bad", "god"], "holds 'god' for sample 's1'.*Did you mean 'good'"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(labels, probabilities, gold, message):
    with pytest.raises(EvaluationError, match=message):
        evaluated(labels, probabilities, gold=gold)


def test_metrics_survive_json():
    labels, probabilities = fixed_case(classes=2)
    found = evaluated(labels, probabilities, classes=("schlecht", "gut"))
    plain = found.as_json()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_metrics_of_a_fixed_case(num_regression):
    labels, probabilities = fixed_case()
    found = evaluated(
        labels, probabilities, classes=("a", "b", "c"), bootstrap=200, gold=list(np.array(list("abc"))[labels])
    )
    figures = {name: [metric.value, metric.low, metric.high] for name, metric in found.metrics.items()}
    for label, per_class in found.per_class.items():
        figures |= {
            f"{label}_{name}": [one.value, one.low, one.high] for name, one in per_class.items() if name != "support"
        }
    num_regression.check(figures, default_tolerance={"atol": 5e-6, "rtol": 0})
