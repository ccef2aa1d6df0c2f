import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.training.planted import recipe, splits, squares
from totalml.component import ForeignComponent
from totalml.data import Splits
from totalml.errors import ModelError, TrainingError
from totalml.features.targets import Targets
from totalml.model import TorchvisionBackbone, load_network
from totalml.progress import Progress
from totalml.recipe import EarlyStopping, ModelRecipe
from totalml.task import Classification
from totalml.training import WarmupCosine, predict, train_model
from totalml.training.checkpoint import Checkpoint
from totalml.training.loss import class_weights


@pytest.fixture(scope="module")
def features():
    return squares()


def without_time(trained):
    return [replace(epoch, seconds=0) for epoch in trained.history]


def test_a_planted_square_is_found(features, tmp_path):
    training = recipe(epochs=12, scheduler=WarmupCosine())
    trained = train_model(training, features, splits(features), tmp_path)
    test = splits(features).test
    probabilities = predict(training, trained, features, test)
    assert (probabilities.argmax(axis=1) == features.targets.values[test]).mean() > 0.95
    assert probabilities.shape == (len(test), 2)
    assert probabilities.dtype == np.float32
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_two_trainings_are_equal_bit_for_bit(features, tmp_path):
    runs = [train_model(recipe(), features, splits(features), tmp_path / name) for name in "ab"]
    assert runs[0].weights_digest == runs[1].weights_digest
    assert without_time(runs[0]) == without_time(runs[1])
    assert (tmp_path / "a/model.safetensors").read_bytes() == (tmp_path / "b/model.safetensors").read_bytes()


def test_another_seed_gives_other_weights(features, tmp_path):
    first = train_model(recipe(epochs=1), features, splits(features), tmp_path / "a")
    other = recipe(epochs=1).model_copy(update={"seed": 4})
    assert train_model(other, features, splits(features), tmp_path / "b").weights_digest != first.weights_digest


def stop_after(monkeypatch, epochs):
    """Fail like a power cut just after this many epochs are on disk."""
    save, saved = Checkpoint.save, []

    def failing(self, path):
        save(self, path)
        if path.name == "last.ckpt":
            saved.append(path)
            if len(saved) == epochs:
                raise MemoryError("power cut")

    monkeypatch.setattr(Checkpoint, "save", failing)


SCHEDULES = {
    "none": {},
    "ours": {"scheduler": WarmupCosine()},
    "epoch": {"scheduler": ForeignComponent(target="torch.optim.lr_scheduler.StepLR", arguments={"step_size": 2})},
    "plateau": {
        "scheduler": ForeignComponent(target="torch.optim.lr_scheduler.ReduceLROnPlateau", arguments={"patience": 0})
    },
    "step": {
        "scheduler": ForeignComponent(
            target="torch.optim.lr_scheduler.OneCycleLR", arguments={"max_lr": 0.01, "total_steps": 16}
        ),
        "schedule_every": "step",
    },
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_resumed_training_equals_an_uninterrupted_one(features, tmp_path, monkeypatch, schedule):
    training = recipe(table=True, **SCHEDULES[schedule])
    whole = train_model(training, features, splits(features), tmp_path / "whole")
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(MemoryError):
            train_model(training, features, splits(features), tmp_path / "cut")
    resumed = train_model(training, features, splits(features), tmp_path / "cut")
    assert (whole.resumed_from, resumed.resumed_from) == (None, 2)
    assert without_time(resumed) == without_time(whole)
    assert resumed.weights_digest == whole.weights_digest


def test_a_finished_training_is_not_run_again(features, tmp_path, monkeypatch):
    first = train_model(recipe(), features, splits(features), tmp_path)
    monkeypatch.setattr("totalml.training.train._fit", None)
    again = train_model(recipe(), features, splits(features), tmp_path)
    assert again == replace(first, resumed_from=4)


@pytest.mark.parametrize("file", ["last.ckpt", "best.ckpt"])
def test_a_damaged_checkpoint_is_told_and_training_starts_over(features, tmp_path, capsys, file):
    first = train_model(recipe(epochs=2), features, splits(features), tmp_path)
    path = tmp_path / "checkpoints" / file
    path.write_bytes(path.read_bytes()[:-1000])
    again = train_model(recipe(epochs=2), features, splits(features), tmp_path, Progress.create("plain"))
    assert again.resumed_from is None
    assert again.weights_digest == first.weights_digest
    assert f"training starts over: {path} is damaged" in capsys.readouterr().err


def test_a_checkpoint_of_another_recipe_is_not_used(features, tmp_path, capsys):
    train_model(recipe(epochs=1), features, splits(features), tmp_path)
    again = train_model(recipe(epochs=2), features, splits(features), tmp_path, Progress.create("plain"))
    assert again.resumed_from is None
    assert "belongs to another recipe" in capsys.readouterr().err


def test_checkpoints_hold_plain_values(features, tmp_path):
    train_model(recipe(epochs=2, scheduler=WarmupCosine()), features, splits(features), tmp_path)
    for name in ("best", "last"):
        values = torch.load(tmp_path / f"checkpoints/{name}.ckpt", weights_only=True)
        assert len(values["history"]) >= 1
        assert values["network"]["head.weight"].shape[0] == 2


def test_the_best_epoch_is_exported_and_not_the_last(features, tmp_path):
    # A rate that rises a hundredfold after two epochs makes all later ones worse.
    rise = ForeignComponent(
        target="torch.optim.lr_scheduler.MultiStepLR", arguments={"milestones": [2], "gamma": 100.0}
    )
    training = recipe(epochs=5, scheduler=rise)
    trained = train_model(training, features, splits(features), tmp_path)
    losses = [epoch.validation_loss for epoch in trained.history]
    assert trained.best_epoch == 1 + losses.index(min(losses)) <= 3
    best = torch.load(tmp_path / "checkpoints/best.ckpt", weights_only=True)
    last = torch.load(tmp_path / "checkpoints/last.ckpt", weights_only=True)
    exported = load_network(training.model, Classification(), trained.weights).head.weight
    assert len(best["history"]) == trained.best_epoch
    assert torch.equal(exported, best["network"]["head.weight"])
    assert not torch.equal(exported, last["network"]["head.weight"])


def test_early_stopping_waits_for_its_patience(features, tmp_path):
    still = ForeignComponent(target="torch.optim.SGD", arguments={"lr": 0.0})
    stopping = EarlyStopping(metric="accuracy", patience=3)
    training = recipe(epochs=50, optimizer=still, early_stopping=stopping)
    trained = train_model(training, features, splits(features), tmp_path)
    best = max(range(len(trained.history)), key=lambda row: trained.history[row].validation_score) + 1
    assert trained.stopped == "early"
    assert trained.best_epoch == best
    assert trained.epochs_run == best + 3
    assert train_model(training, features, splits(features), tmp_path).epochs_run == trained.epochs_run


def test_the_history_tells_rate_and_losses(features, tmp_path):
    training = recipe(epochs=2, scheduler=WarmupCosine(warmup=0.5))
    history = train_model(training, features, splits(features), tmp_path).history
    assert [epoch.epoch for epoch in history] == [1, 2]
    # 4 steps an epoch: the last of the first epoch has share 3/8 of a warm-up of 1/2.
    assert history[0].learning_rate == pytest.approx(0.01 * 0.75)
    assert history[0].learning_rate > history[1].learning_rate > 0
    assert all(0 <= epoch.validation_score <= 1 for epoch in history)


def test_validation_in_the_history_is_that_of_the_exported_weights(features, tmp_path):
    trained = train_model(recipe(), features, splits(features), tmp_path)
    rows = splits(features).validation
    probabilities = predict(recipe(), trained, features, rows)
    labels = features.targets.values[rows]
    best = trained.history[trained.best_epoch - 1]
    assert (probabilities.argmax(axis=1) == labels).mean() == pytest.approx(best.validation_score)
    assert -np.log(probabilities[np.arange(len(rows)), labels]).mean() == pytest.approx(best.validation_loss, rel=1e-4)


def test_balanced_classes_do_not_forget_the_rare_one(tmp_path):
    rare = squares(200, good_share=0.06)
    balanced = recipe(epochs=10, balance_classes=True)
    trained = train_model(balanced, rare, splits(rare), tmp_path)
    probabilities = predict(balanced, trained, rare, np.arange(200))
    assert (probabilities[rare.targets.values == 1].argmax(axis=1) == 1).mean() > 0.8
    # The validation loss weighs classes as training does.
    rows = splits(rare).validation
    weights = class_weights(rare.targets.values[splits(rare).train], 2).numpy()[rare.targets.values[rows]]
    losses = -np.log(probabilities[rows, rare.targets.values[rows]])
    best = trained.history[trained.best_epoch - 1]
    assert np.average(losses, weights=weights) == pytest.approx(best.validation_loss, rel=1e-4)


def test_an_exploding_training_says_where_and_how_to_mend(features, tmp_path):
    wild = ForeignComponent(target="torch.optim.SGD", arguments={"lr": 1e30})
    with pytest.raises(TrainingError, match=r"became (nan|inf).* epoch \d+, step \d+.*clip_norm"):
        train_model(recipe(optimizer=wild), features, splits(features), tmp_path)


def test_clipping_bounds_the_step(features, tmp_path):
    sgd = ForeignComponent(target="torch.optim.SGD", arguments={"lr": 1.0})
    clipped = recipe(epochs=1, batch_size=64, optimizer=sgd, clip_norm=1e-3)
    trained = train_model(clipped, features, splits(features), tmp_path / "a")
    still = recipe(epochs=1, batch_size=64, optimizer=ForeignComponent(target="torch.optim.SGD", arguments={"lr": 0.0}))
    unmoved = train_model(still, features, splits(features), tmp_path / "b")
    weights = [load_network(still.model, Classification(), run.weights).parameters() for run in (trained, unmoved)]
    squared = [(after - before).detach().double().pow(2).sum() for after, before in zip(*weights, strict=True)]
    assert float(sum(squared)) ** 0.5 == pytest.approx(1e-3, rel=0.01)


def test_label_smoothing_raises_the_training_loss_of_a_sure_model(features, tmp_path):
    plain = train_model(recipe(epochs=8), features, splits(features), tmp_path / "a").history[-1]
    smooth = train_model(recipe(epochs=8, label_smoothing=0.4), features, splits(features), tmp_path / "b").history[-1]
    assert plain.train_loss < 0.35
    assert smooth.train_loss > 0.4


@pytest.mark.parametrize("empty", ["train", "validation"])
def test_an_empty_split_is_named(features, tmp_path, empty):
    cut = replace(splits(features), **{empty: np.zeros(0, np.int64)})
    with pytest.raises(TrainingError, match=f"the {empty} split holds no samples"):
        train_model(recipe(), features, cut, tmp_path)


def test_one_label_leaves_nothing_to_learn(features, tmp_path):
    good = np.flatnonzero(features.targets.values)
    with pytest.raises(TrainingError, match="all training samples have the label 'good'"):
        train_model(recipe(), features, Splits(train=good, validation=good, test=good), tmp_path)


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
def test_a_gpu_that_is_not_there_is_an_error(features, tmp_path):
    with pytest.raises(TrainingError, match="torch sees none"):
        train_model(recipe(runtime={"device": "gpu"}), features, splits(features), tmp_path)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_trains_bit_for_bit_and_augments_like_a_cpu(features, tmp_path):
    runs = [
        train_model(recipe(runtime={"device": "gpu"}), features, splits(features), tmp_path / name) for name in "ab"
    ]
    assert runs[0].weights_digest == runs[1].weights_digest
    change = recipe().training.augment[1]
    images = torch.from_numpy(features.images.pixels).permute(0, 3, 1, 2)
    keys = torch.from_numpy(features.sample_keys)
    assert torch.equal(change.apply(images.cuda(), keys.cuda()).cpu(), change.apply(images, keys))


def test_bfloat16_learns_too(features, tmp_path):
    trained = train_model(recipe(epochs=8, runtime={"precision": "bfloat16"}), features, splits(features), tmp_path)
    assert trained.history[-1].validation_score > 0.9
    assert load_network(recipe().model, Classification(), trained.weights).head.weight.dtype == torch.float32


def test_a_model_is_not_asked_about_other_features(features, tmp_path):
    trained = train_model(recipe(epochs=1), features, splits(features), tmp_path)
    with pytest.raises(ModelError, match="'maybe'"):
        predict(
            recipe(),
            trained,
            replace(features, targets=Targets(("bad", "maybe"), features.targets.values)),
            np.arange(3),
        )


def test_predictions_do_not_depend_on_the_batch(features, tmp_path):
    trained = train_model(recipe(epochs=1), features, splits(features), tmp_path)
    together = predict(recipe(batch_size=100), trained, features, np.arange(20))
    apart = predict(recipe(batch_size=3), trained, features, np.arange(20))
    assert np.allclose(together, apart, atol=1e-6)
    assert predict(recipe(), trained, features, np.arange(0)).shape == (0, 2)


def test_training_leaves_torch_as_it_was(features, tmp_path):
    torch.manual_seed(5)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    level = logging.getLogger("lightning.pytorch").level
    train_model(recipe(epochs=1), features, splits(features), tmp_path)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert logging.getLogger("lightning.pytorch").level == level


WRITTEN = ("model.safetensors", "steps.npy")


def test_nothing_is_written_but_checkpoints_weights_and_steps(features, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train_model(recipe(epochs=1), features, splits(features), tmp_path / "run")
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert found == [f"run/{name}" for name in ("checkpoints/best.ckpt", "checkpoints/last.ckpt", *WRITTEN)]
    assert capfd.readouterr() == ("", "")


def test_plain_progress_is_one_line_an_epoch(features, tmp_path, capfd):
    train_model(recipe(epochs=2), features, splits(features), tmp_path, Progress.create("plain"))
    out, err = capfd.readouterr()
    assert out == ""
    assert [line.partition(":")[0] for line in err.splitlines()] == ["epoch 1/2", "epoch 2/2"]


@pytest.mark.parametrize(("count", "batch_size"), [(5, 2), (6, 2)])
def test_an_odd_sample_joins_the_batch_before_it(count, batch_size, tmp_path):
    """Batch normalisation over one value a channel would end in an error of torch."""
    few = squares()
    planted = recipe(epochs=1, batch_size=batch_size)
    some = Splits(np.arange(count), np.arange(20, 30), np.arange(40, 50))
    assert len({*few.targets.values[:count]}) == 2
    normed = planted.model_copy(update={"model": ModelRecipe(image=TorchvisionBackbone(name="shufflenet_v2_x0_5"))})
    assert train_model(normed, few, some, tmp_path).epochs_run == 1


def test_batches_of_one_that_cannot_be_normalised_are_refused_with_the_mend(tmp_path):
    few = squares()
    normed = recipe(epochs=1, batch_size=1).model_copy(
        update={"model": ModelRecipe(image=TorchvisionBackbone(name="shufflenet_v2_x0_5"))}
    )
    with pytest.raises(TrainingError, match=r"set training.batch_size to 2 or more \(it is 1\)"):
        train_model(normed, few, splits(few), tmp_path)
