"""The loss of labels against its formula, and a training of labels that is cut and goes on."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.training.planted import recipe, splits, squares
from tests.training.test_training_train import stop_after, without_time
from totalml.errors import TrainingError
from totalml.features.targets import Targets
from totalml.kinds import Loss
from totalml.task import MultiLabel
from totalml.training import predict, train_model
from totalml.training.label_loss import BinaryCrossEntropy, positive_weights

OUTPUTS = torch.tensor([[2.0, -1.0, 0.5], [-3.0, 0.0, 1.0]], dtype=torch.float64)
TARGETS = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]], dtype=torch.float64)


class Absolute(Loss):
    """Of the probability."""

    def of(self, outputs, targets):
        return (outputs.sigmoid() - targets).abs().sum(dim=1)


def by_hand(weights=(1, 1, 1), smoothing=0.0):
    """(2,) mean over labels of -w y log p - (1 - y) log(1 - p)."""
    truth, p = TARGETS.numpy() * (1 - smoothing) + smoothing / 2, 1 / (1 + np.exp(-OUTPUTS.numpy()))
    return (-np.array(weights) * truth * np.log(p) - (1 - truth) * np.log(1 - p)).mean(axis=1)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, (3.0, 1.0, 0.5)])
def test_the_loss_is_that_of_the_formula(weights, smoothing):
    loss = BinaryCrossEntropy(None if weights is None else torch.tensor(weights), smoothing)
    expected = by_hand(weights or (1, 1, 1), smoothing)
    assert float(loss(OUTPUTS, TARGETS)) == pytest.approx(expected.mean())
    assert float(loss(OUTPUTS, TARGETS, "sum")) == pytest.approx(expected.sum())
    assert float(loss(OUTPUTS, TARGETS, "sum")) / loss.weight(TARGETS) == pytest.approx(expected.mean())


def test_validation_is_judged_without_smoothing_by_the_share_of_labels_that_are_right():
    judged = BinaryCrossEntropy(None, 0.3).judge(OUTPUTS, TARGETS)
    assert judged.losses.tolist() == pytest.approx(by_hand())
    assert judged.weights.tolist() == [1, 1]
    assert judged.scores.tolist() == pytest.approx([2 / 3, 2 / 3])


def test_a_worse_picture_is_right_if_every_label_is():
    targets = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    assert MultiLabel(labels=("a", "b", "c")).right(OUTPUTS, targets).tolist() == [True, False]


def test_an_own_loss_takes_its_place():
    loss = BinaryCrossEntropy(None, 0.3, Absolute())
    expected = Absolute().of(OUTPUTS, TARGETS)
    assert float(loss(OUTPUTS, TARGETS)) == pytest.approx(float(expected.mean()))
    assert loss.judge(OUTPUTS, TARGETS).losses.tolist() == expected.tolist()


def test_balancing_gives_both_sides_of_each_label_one_weight():
    flags = np.array([[1, 1], [0, 1], [0, 1], [0, 0]], np.float32)
    weights = positive_weights(flags)
    assert weights.tolist() == pytest.approx([3, 1 / 3])
    assert (weights.numpy() * flags.sum(axis=0)).tolist() == pytest.approx((1 - flags).sum(axis=0).tolist())


def test_an_own_loss_is_not_balanced_behind_its_back():
    task = MultiLabel(labels=("a",), loss=Absolute())
    with pytest.raises(TrainingError, match=r"weigh the labels in task\.loss"):
        task.objective(planted().targets, np.arange(4), recipe(balance_classes=True).training)


def planted():
    """A square that is seen, its absence, and a label that nothing shows, as often as a square."""
    features = squares()
    square = features.targets.values.astype(np.float32)
    hidden = np.random.default_rng(1).permutation(square)
    return replace(
        features, targets=Targets(("square", "plain", "hidden"), np.stack([square, 1 - square, hidden], axis=1))
    )


def labelling(**training):
    return recipe(**training).model_copy(update={"task": MultiLabel(labels=("square", "plain", "hidden"))})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    features = planted()
    return train_model(labelling(epochs=6), features, splits(features), tmp_path_factory.mktemp("whole"))


def test_what_is_seen_is_learnt_and_what_is_not_stays_near_its_share(whole):
    features = planted()
    test = splits(features).test
    found, truth = predict(labelling(epochs=6), whole, features, test), features.targets.values[test]
    assert (((found > 0.5) == truth)[:, :2].mean(axis=0) > 0.9).all()
    assert abs(found[:, 2].mean() - truth[:, 2].mean()) < 0.2
    assert abs(((found[:, 2] > 0.5) == truth[:, 2]).mean() - 0.5) < 0.25
    assert whole.score == "hamming_accuracy"


def test_a_training_that_was_cut_ends_with_the_weights_of_one_that_was_not(whole, tmp_path, monkeypatch):
    features = planted()
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(MemoryError):
            train_model(labelling(epochs=6), features, splits(features), tmp_path)
    resumed = train_model(labelling(epochs=6), features, splits(features), tmp_path)
    assert resumed.resumed_from == 2
    assert without_time(resumed) == without_time(whole)
    assert resumed.weights_digest == whole.weights_digest


def test_labels_that_all_training_samples_share_are_named(tmp_path):
    features = planted()
    values = features.targets.values.copy()
    values[:, 0], values[:, 1] = 0, 1
    alike = replace(features, targets=Targets(features.targets.names, values))
    with pytest.raises(TrainingError, match="no training sample has 'square', every training sample has 'plain'"):
        train_model(labelling(), alike, splits(alike), tmp_path)
