import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from totalml.errors import TrainingError
from totalml.training import WarmupCosine
from totalml.training.loss import class_weights
from totalml.training.tally import TrainTally, ValidationTally


def test_class_weights_make_every_class_weigh_the_same():
    labels = np.array([0] * 90 + [1] * 9 + [3])
    weights = class_weights(labels, 4)
    assert weights.tolist() == pytest.approx([100 / 270, 100 / 27, 0, 100 / 3])
    sums = [float(weights[label]) * np.sum(labels == label) for label in (0, 1, 3)]
    assert sums == pytest.approx([100 / 3] * 3)


def test_balanced_labels_weigh_one():
    assert class_weights(np.array([0, 1, 2] * 5), 3).tolist() == [1, 1, 1]


def test_the_training_loss_is_the_mean_over_samples():
    tally = TrainTally(1)
    tally.add(torch.tensor(1.0), 3, 0.1)
    tally.add(torch.tensor(5.0), 1, 0.2)
    assert tally.mean() == 2.0
    assert tally.learning_rate == 0.2


@pytest.mark.parametrize("step", [1, 49, 50, 73])
def test_a_loss_that_is_no_number_is_told_with_epoch_and_step(step):
    tally = TrainTally(4)
    with pytest.raises(TrainingError, match=rf"nan in epoch 4, step {step}\. Lower"):
        add(tally, [1.0] * (step - 1) + [float("nan")] * 100)


def add(tally, losses):
    for loss in losses:
        tally.add(torch.tensor(loss), 8, 0.1)


def test_a_loss_that_is_no_number_is_found_within_fifty_steps():
    tally = TrainTally(1)
    add(tally, [float("inf")] * 49)
    with pytest.raises(TrainingError):
        add(tally, [float("inf")])


def test_validation_means_do_not_depend_on_batches():
    scores, labels = torch.randn(10, 3), torch.arange(10) % 3
    weights = torch.tensor([1.0, 2.0, 3.0])
    tally = ValidationTally()
    for part in (slice(0, 7), slice(7, 10)):
        losses = functional.cross_entropy(scores[part], labels[part], weight=weights, reduction="none")
        tally.add(losses, weights[labels[part]], scores[part].argmax(1) == labels[part])
    loss, accuracy = tally.means()
    assert loss == pytest.approx(float(functional.cross_entropy(scores, labels, weight=weights)), rel=1e-5)
    assert accuracy == float((scores.argmax(1) == labels).float().mean().double().round(decimals=6))


def test_a_validation_loss_that_is_no_number_stops_training():
    tally = ValidationTally()
    tally.add(torch.tensor([float("nan")]), torch.ones(1), torch.tensor([True]))
    with pytest.raises(TrainingError, match="validation loss became nan"):
        tally.means()


def test_warmup_rises_and_the_cosine_falls():
    schedule = WarmupCosine(warmup=0.2, final=0.1)
    assert [schedule.factor(share) for share in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx([0, 0.5, 1, 0.55, 0.1])
    falling = [schedule.factor(share) for share in np.linspace(0.2, 1, 50)]
    assert falling == sorted(falling, reverse=True)


def test_without_warmup_training_starts_at_full_rate():
    assert WarmupCosine(warmup=0).factor(0) == 1
    assert math.isclose(WarmupCosine(warmup=0).factor(1), 0)
