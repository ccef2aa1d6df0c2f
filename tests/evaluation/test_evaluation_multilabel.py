"""Metrics of labels against torchmetrics and plain loops; thresholds against every one that there could be."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional import classification as tm

from tests.evaluation.labelled import NAMES, drawn, evaluated, scores
from totalml.errors import EvaluationError
from totalml.evaluation import Evaluation
from totalml.evaluation.calibration.temperature import log_loss
from totalml.evaluation.multilabel.calibration import label_bins
from totalml.evaluation.multilabel.scores import LabelScores
from totalml.evaluation.multilabel.thresholds import LEAST, best_thresholds
from totalml.evaluation.multilabel.weighted import WeightedLabelMetrics, label_figures
from totalml.recipe import EvaluationRecipe
from totalml.task import MultiLabel


@pytest.mark.parametrize("seed", range(4))
def test_figures_are_those_of_torchmetrics(seed):
    some = scores(seed)
    found = label_figures(some)
    given_, true = torch.from_numpy(some.probabilities), torch.from_numpy(some.true).long()
    each = {"num_labels": 3, "average": None}
    peers = {
        "precision": tm.multilabel_precision(given_, true, **each),
        "recall": tm.multilabel_recall(given_, true, **each),
        "f1": tm.multilabel_f1_score(given_, true, **each),
        "auroc": tm.multilabel_auroc(given_, true, **each),
        "average_precision": tm.multilabel_average_precision(given_, true, **each),
    }
    for name, values in peers.items():
        assert found.per_class[name][0] == pytest.approx(values.numpy(), abs=2e-6), name
    errors = [tm.binary_calibration_error(given_[:, k].float(), true[:, k], n_bins=5).item() for k in range(3)]
    whole = {
        "exact_match": tm.multilabel_exact_match(given_, true, 3),
        "hamming_accuracy": 1 - tm.multilabel_hamming_distance(given_, true, 3),
        "f1_macro": tm.multilabel_f1_score(given_, true, 3, average="macro"),
        "f1_micro": tm.multilabel_f1_score(given_, true, 3, average="micro"),
        "auroc_macro": tm.multilabel_auroc(given_, true, 3),
        "average_precision_macro": tm.multilabel_average_precision(given_, true, 3),
        "ece": np.mean(errors),
    }
    assert found.overall.keys() == whole.keys()
    for name, value in whole.items():
        assert found.overall[name][0] == pytest.approx(float(value), abs=2e-6), name


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_a_weighting_counts_a_sample_as_often_as_its_count_says(seed, labels):
    some = scores(seed, samples=25, labels=labels)
    counts = np.random.default_rng(seed).integers(0, 3, (3, 25)).astype(np.int32)
    counts[:, 0] += 1
    found = WeightedLabelMetrics(some).of(counts)
    for row in range(3):
        repeated = (np.repeat(part, counts[row], axis=0) for part in (some.true, some.said, some.probabilities))
        expected = label_figures(LabelScores(*repeated, some.bins))
        for name, values in (expected.overall | expected.per_class).items():
            here = (found.overall | found.per_class)[name][row]
            assert here == pytest.approx(values[0], abs=1e-9, nan_ok=True), name


def f1_from(threshold, true, probabilities):
    said = probabilities >= threshold
    return 2 * (said & true).sum() / max(1, said.sum() + true.sum())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_no_other_threshold_has_a_better_f1_on_validation(seed):
    true, probabilities = drawn(seed, samples=80, labels=2)
    for k, threshold in enumerate(best_thresholds(true, probabilities)):
        if LEAST <= true[:, k].sum() <= 80 - LEAST:
            every = [f1_from(other, true[:, k], probabilities[:, k]) for other in np.linspace(0, 1, 201)]
            assert f1_from(threshold, true[:, k], probabilities[:, k]) == pytest.approx(max(every))
        else:
            assert threshold == 0.5


@pytest.mark.parametrize(("levels", "nearest"), [((0.8, 0.6, 0.3, 0.1), 0.7), ((0.95, 0.75, 0.6, 0.5), 0.55)])
def test_of_thresholds_that_are_as_good_the_one_nearest_to_a_half_is_taken(levels, nearest):
    # Of 40 that have the label 20 stand above 40 that do not, and 20 below: half of them alone is as good as all.
    true = np.repeat([True, False, True, False], (20, 40, 20, 20))[:, None]
    probabilities = np.repeat(levels, (20, 40, 20, 20))[:, None]
    assert best_thresholds(true, probabilities) == pytest.approx([nearest])


@pytest.mark.parametrize("having", [LEAST - 1, LEAST, 50 - LEAST, 50 - LEAST + 1])
def test_a_label_that_too_few_have_or_lack_keeps_the_threshold_of_a_half(having):
    true = np.arange(50)[:, None] < having
    [threshold] = best_thresholds(true, np.where(true, 0.3, 0.1))
    assert threshold == (pytest.approx(0.2) if LEAST <= having <= 50 - LEAST else 0.5)


def test_thresholds_are_fitted_on_validation_and_said_on_test():
    true = np.arange(40)[:, None] % 2 == 0
    validation = (np.repeat(true, 2, axis=1).astype(np.float32), np.repeat(np.where(true, 0.3, 0.1), 2, axis=1))
    test = {"true": [[1, 0], [0, 0]], "probabilities": [[0.25, 0.15], [0.15, 0.15]], "names": ("a", "b")}
    fitted = evaluated(**test, validation=validation, fit_thresholds=True)
    assert [fitted.per_label[name].threshold for name in "ab"] == pytest.approx([0.2, 0.2])
    assert fitted.predictions["predicted"].to_pylist() == [["a"], []]
    assert evaluated(**test, validation=validation).predictions["predicted"].to_pylist() == [[], []]
    assert evaluated(**test, fit_thresholds=True).metrics["exact_match"].value == 0.5


def test_predictions_are_kept_sample_by_sample():
    found = evaluated([[1, 0, 1], [0, 0, 0]], [[0.75, 0.25, 0.5], [0.5, 0.25, 0]])
    assert found.predictions.to_pylist() == [
        {"id": "s0", "labels": ["thin", "spill"], "predicted": ["thin", "spill"], **shares(0.75, 0.25, 0.5)},
        {"id": "s1", "labels": [], "predicted": ["thin"], **shares(0.5, 0.25, 0)},
    ]
    assert found.sample_scores().tolist() == [1, 0]
    assert found.answers().tolist() == [[0.75, 0.25, 0.5], [0.5, 0.25, 0]]


def test_answers_about_other_samples_say_the_labels_above_the_thresholds_of_the_evaluation():
    found = evaluated([[1, 0, 1], [0, 0, 0]], [[0.75, 0.25, 0.5], [0.5, 0.25, 0]])
    raised = {"spill": replace(found.per_label["spill"], threshold=0.6)}
    columns = replace(found, per_label=found.per_label | raised).answer_columns(np.array([[0.75, 0.25, 0.55]]))
    said = {key: column.to_pylist() for key, column in columns.items()}
    assert said == {"predicted": [["thin"]], **{key: [value] for key, value in shares(0.75, 0.25, 0.55).items()}}


def shares(*values):
    return {f"p:{name}": value for name, value in zip(NAMES, values, strict=True)}


def test_what_is_said_together_is_counted_against_what_is_true():
    true = [[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1]]
    said = [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0], [1, 0, 1]]
    found = evaluated(true, said)
    # Rows and columns: thin, short, spill, none.
    assert found.co_occurrence == ((1, 1, 0, 0), (1, 0, 0, 0), (1, 0, 1, 1), (0, 0, 0, 1))
    assert found.taken_for == ((0, 1, 0), (0, 0, 0), (0, 0, 0))
    assert found.without_label == 1


def test_what_is_undefined_is_none_and_says_why():
    found = evaluated([[1, 0, 1], [0, 0, 1]], [[0.9, 0.1, 0.2], [0.1, 0.2, 0.1]])
    short, spill = found.per_label["short"].figures, found.per_label["spill"].figures
    assert {name: figure.value for name, figure in short.items()} == dict.fromkeys(short)
    assert short["recall"].note == "no test sample has 'short'"
    assert short["precision"].note == "'short' was never said"
    assert (spill["auroc"].value, spill["auroc"].note) == (None, "every test sample has 'spill'")
    assert spill["recall"].value == 0
    assert found.metrics["auroc_macro"].value == 1
    assert found.metrics["auroc_macro"].note == "mean without 'short', 'spill', where it is undefined"
    assert "NaN" not in json.dumps(found.as_json(), allow_nan=False)


def test_an_evaluation_can_be_read_back(tmp_path):
    true, probabilities = drawn(1)
    found = evaluated(true, probabilities, validation=(true.astype(np.float32), probabilities), slices=None)
    found.save(tmp_path)
    assert Evaluation.load(tmp_path) == found


def test_every_figure_that_a_gate_may_name_is_there():
    true, probabilities = drawn(1)
    figures = evaluated(true, probabilities).figures()
    assert set(MultiLabel.metrics) <= set(figures)
    assert {name.split(".")[2] for name in figures if name.startswith("per_label.thin.")} == set(
        MultiLabel.families["per_label"]
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_a_model_beside_itself_differs_in_nothing_and_in_another_order_neither(seed):
    true, probabilities = drawn(seed, samples=30)
    order = np.random.default_rng(seed).permutation(30)
    ours = evaluated(true, probabilities)
    theirs = evaluated(true[order], probabilities[order], ids=[f"s{row}" for row in order])
    for name, difference in ours.paired_differences(theirs).items():
        values = {difference.value, difference.low, difference.high}
        assert values <= {0, None} or values == {pytest.approx(0, abs=1e-12)}, name


def test_differences_are_those_of_the_metrics_of_both():
    true, worse = drawn(1)
    better = np.clip(worse + 0.3 * (2 * true - 1), 0, 1)
    ours, theirs = evaluated(true, better), evaluated(true, worse)
    found = ours.paired_differences(theirs)
    for name in MultiLabel.metrics:
        assert found[name].value == pytest.approx(ours.metrics[name].value - theirs.metrics[name].value)
    assert found["exact_match"].low > 0
    f1 = [each.per_label["thin"].figures["f1"].value for each in (ours, theirs)]
    assert found["per_label.thin.f1"].value == pytest.approx(f1[0] - f1[1])


def test_shares_of_samples_are_paired_by_sample():
    true = [[1, 0], [1, 1], [0, 0], [1, 0]]
    ours = evaluated(true, [[1, 0], [1, 1], [0, 1], [0, 0]], names=("a", "b"))
    theirs = evaluated(true, [[0, 0], [1, 0], [0, 0], [0, 0]], names=("a", "b"))
    share = {name: ours.paired_share(name, ours.predictions, theirs.predictions) for name in NAMED}
    assert share["exact_match"].value == pytest.approx((2 - 1) / 4)
    assert share["per_label.a.recall"].value == pytest.approx(1 / 3)
    assert share["per_label.b.recall"].value == 1
    assert share["f1_macro"] is None
    assert share["exact_match"].low < 0.25 < share["exact_match"].high


NAMED = ("exact_match", "per_label.a.recall", "per_label.b.recall", "f1_macro")


def test_bins_hold_every_probability_of_every_label():
    some = scores(3, bins=8)
    bins = label_bins(some)
    assert sum(one.count for one in bins) == some.true.size
    for one in bins:
        inside = (some.probabilities >= one.low) & (some.probabilities < one.high)
        if one.count:
            assert one.accuracy == pytest.approx(some.true[inside].mean())
            assert one.confidence == pytest.approx(some.probabilities[inside].mean())


def test_the_temperature_is_found_that_was_planted():
    chance = np.random.default_rng(0)
    logits = chance.normal(0, 2, (4000, 3))
    true = chance.random(logits.shape) < 1 / (1 + np.exp(-logits))
    sharp = 1 / (1 + np.exp(-2.5 * logits))
    check = evaluated(true, sharp, validation=(true.astype(np.float32), sharp), context=context(4000)).confidence_check
    fitted = check.temperature
    assert fitted.value.low < 2.5 < fitted.value.high
    assert fitted.ece_scaled < fitted.ece / 3
    right = 1 / (1 + np.exp(-logits)).ravel()
    assert fitted.log_loss_scaled == pytest.approx(
        log_loss(np.stack([1 - right, right], 1), true.ravel() * 1), abs=1e-3
    )


def test_labels_thought_too_likely_are_told_by_how_much():
    true = np.zeros((200, 2), bool)
    true[:40] = True
    said = np.full(true.shape, 0.3)
    check = evaluated(
        true, said, names=("a", "b"), validation=(true.astype(np.float32), said), context=context(200)
    ).confidence_check
    half = 1.96 * (0.2 * 0.8 / 200) ** 0.5  # a sample has both labels or none: 200 terms, not 400
    assert check.sureness.value == pytest.approx(0.1)
    assert check.sureness.low == pytest.approx(0.1 - half, abs=1e-4)
    assert not check.off


def context(samples):
    import pyarrow as pa

    from totalml.evaluation import SampleContext

    halves = ["left" if row % 2 else "right" for row in range(samples)]
    return SampleContext(pa.table({"side": halves}), np.arange(samples))


def test_a_group_that_is_told_a_label_more_often_is_found_label_by_label():
    true, _ = drawn(0, samples=800, labels=2)
    said = true.astype(float)
    said[1::2, 1] = 1  # on the left it says `b` of everything
    found = evaluated(true, said, names=("a", "b"), context=context(800), fairness={"columns": ["side"]})
    gaps = found.fairness.gaps()
    assert {gap.label for gap in gaps} == {"b"}
    left = next(one for one in gaps if one.figure == "false_positive_rate" and one.group == "side left")
    assert (left.value.value, left.gap.value) == (1, 1)


def test_a_slice_is_right_where_every_label_of_its_samples_is():
    true, _ = drawn(0, samples=400, labels=2)
    said = true.astype(float)
    said[1::2, 1] = 1 - said[1::2, 1]
    found = evaluated(true, said, names=("a", "b"), context=context(400), slices={"columns": ["side"]})
    worst = found.slices.declared[0]
    assert (worst.name, worst.worse, worst.gap.value) == ("side left", True, -1)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"positive": "thin"}, r"evaluation\.positive asks of one class"),
        ({"gold_column": "rule", "positive": "a"}, r"evaluation\.positive and evaluation\.gold_column ask"),
        ({"calibration": {"costs": {"a": {"b": 1}}}}, r"evaluation\.calibration\.costs asks.*task\.thresholds"),
    ],
)
def test_what_only_classes_have_is_refused_before_training(asked, message):
    with pytest.raises(EvaluationError, match=message):
        MultiLabel(labels=NAMES).check(EvaluationRecipe(**asked), NAMES)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, 1.1])
def test_predictions_that_are_no_probabilities_are_refused(bad):
    with pytest.raises(EvaluationError, match="1 of 2 predictions are no probabilities, first that of sample 's1'"):
        evaluated([[0], [1]], [[0.5], [bad]], names=("a",))


def test_an_empty_test_split_is_refused():
    with pytest.raises(EvaluationError, match="the test split is empty"):
        evaluated(np.zeros((0, 3)), np.zeros((0, 3)))
