"""A LightningModule from elsewhere learns, is killed and goes on, predicts, and says clearly what it lacks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule
from torch.nn import functional

from tests.training.own import own_recipe
from tests.training.planted import splits, squares
from tests.warm import python
from totalml.component import ForeignComponent
from totalml.compose import compose_recipe
from totalml.errors import ModelError, RecipeError, TrainingError
from totalml.fingerprint import files_of
from totalml.identity import config_hash, digest_if_there
from totalml.recipe import what
from totalml.training import predict, predict_members, train_model

REPOSITORY = Path(__file__).parents[2]
ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def features():
    return squares(count=240)


@pytest.fixture(scope="module")
def trained(features, tmp_path_factory):
    return train_model(own_recipe(epochs=8), features, splits(features), tmp_path_factory.mktemp("own"))


def test_it_learns_and_is_asked_for_probabilities(features, trained):
    rows = splits(features).test
    answers = predict(own_recipe(epochs=8), trained, features, rows)
    assert answers.shape == (len(rows), 2)
    assert np.allclose(answers.sum(axis=1), 1, atol=1e-5)
    assert (answers.argmax(axis=1) == features.targets.values[rows]).mean() > 0.9


def test_the_record_holds_what_it_logged(trained):
    assert trained.score == "accuracy"
    assert [epoch.epoch for epoch in trained.history] == list(range(1, 9))
    best = min(trained.history, key=lambda epoch: epoch.validation_loss)
    assert trained.best_epoch == best.epoch
    assert best.validation_score > 0.9


def test_the_same_recipe_gives_the_same_weights(features, trained, tmp_path):
    again = train_model(own_recipe(epochs=8), features, splits(features), tmp_path)
    assert again.weights_digest == trained.weights_digest


@pytest.mark.slow
def test_killed_at_random_points_it_goes_on_to_equal_weights(tmp_path):
    command = [*python(), "-m", "tests.training.killed_module", str(tmp_path), "8"]
    done = subprocess.run(command, cwd=REPOSITORY, env=ONE_THREAD, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    undisturbed, *others = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(others) == 8
    for each in others:
        assert each["weights"] == undisturbed["weights"], (each, undisturbed)
    assert any(each["resumed_from"] for each in others), others


def composed(*overrides: str):
    return compose_recipe(REPOSITORY, ["+recipe=own_module", *overrides])


def test_its_arguments_count_for_the_config_hash_and_an_unused_optimizer_does_not():
    plain = config_hash(what(composed()))
    assert config_hash(what(composed("model.width=9"))) != plain
    assert config_hash(what(composed("training.optimizer.lr=0.5"))) == plain


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["model.widht=9"], "TinyNet takes no argument 'widht', did you mean 'width'?"),
        (["model._target_=recipes.own.module.TinyNett"], "has no 'TinyNett'"),
        (["model._target_=recipes.own.module.nn"], "is not a component; a model may also be a LightningModule"),
        (["+model.dropout_rate=1"], "takes no argument"),
        (["runtime=ddp"], "trains in one process"),
        (["+task.loss={_target_: recipes.own.loss.FocalLoss}"], "task.loss is not used"),
        (["training.callbacks=[{_target_: lightning.pytorch.callbacks.ModelCheckpoint}]"], "is not allowed"),
    ],
)
def test_mistakes_are_told_before_anything_is_imported(overrides, told):
    with pytest.raises(RecipeError) as caught:
        composed(*overrides)
    assert told in str(caught.value)


def test_composing_it_imports_no_torch():
    code = (
        "import sys; from pathlib import Path; from totalml.compose import compose_recipe;"
        "compose_recipe(Path.cwd(), ['+recipe=own_module']);"
        "assert not {'torch', 'lightning'} & {*sys.modules}"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Bare(LightningModule):
    """What the broken ones below have in common."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(3, 2)

    def training_step(self, batch, batch_idx):
        return functional.cross_entropy(self.layer(batch["image"].mean(dim=(2, 3))), batch["target"])

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.training_step(batch, batch_idx))

    def predict_step(self, batch, batch_idx):
        return self.layer(batch["image"].mean(dim=(2, 3))).softmax(dim=1)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


class Silent(Bare):
    def validation_step(self, batch, batch_idx):
        self.log("loss_of_validation", 1.0)


class Manual(Bare):
    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False


class Diverging(Bare):
    def training_step(self, batch, batch_idx):
        return super().training_step(batch, batch_idx) * torch.nan


class Failing(Bare):
    def training_step(self, batch, batch_idx):
        raise KeyError("imgae")


class Lossless(Bare):
    def training_step(self, batch, batch_idx):
        return None


class Unmoved(Bare):
    def configure_optimizers(self):
        return None


class Answerless(Bare):
    predict_step = LightningModule.predict_step


class Closed(Bare):
    def on_save_checkpoint(self, checkpoint):
        checkpoint["folder"] = Path("somewhere")


class Odd(Bare):
    def predict_step(self, batch, batch_idx):
        return self.layer(batch["image"].mean(dim=(2, 3))).argmax(dim=1)


@pytest.fixture
def fitted(monkeypatch, features, tmp_path):
    """Train what stands in for the recipe's module."""

    def fitted(kind: type):
        monkeypatch.setattr(ForeignComponent, "create", lambda self: kind())
        recipe = own_recipe(epochs=1)
        return recipe, train_model(recipe, features, splits(features), tmp_path)

    return fitted


@pytest.mark.parametrize(
    ("kind", "error", "told"),
    [
        (Silent, TrainingError, r"logs no validation loss; log it in validation_step.*It logs loss_of_validation"),
        (Manual, ModelError, "automatic_optimization"),
        (Diverging, TrainingError, "the loss became nan in epoch 1, step 1"),
        (Failing, TrainingError, "Failing failed in epoch 1: KeyError: 'imgae'. A batch is a dict with image"),
        (Lossless, TrainingError, "training_step returned no loss"),
        (Unmoved, TrainingError, "configure_optimizers returned no optimizer"),
        (Answerless, ModelError, "has no predict_step; let it return the task's answers"),
        (Closed, TrainingError, r"keeps pathlib\.\w+ in its checkpoint"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*returned .None.:UserWarning")  # Lightning would go on with a warning
def test_what_it_lacks_is_said(kind, error, told, fitted):
    with pytest.raises(error, match=told):
        fitted(kind)


def test_answers_that_are_none_of_the_task_are_refused(features, fitted):
    recipe, trained = fitted(Odd)
    with pytest.raises(ModelError, match=r"Odd.predict_step must return the task's answers.*got \(15,\)"):
        predict(recipe, trained, features, splits(features).test)


def test_one_that_logs_no_score_has_none(fitted, tmp_path):
    _, trained = fitted(Bare)
    trained.save(tmp_path)
    assert json.loads((tmp_path / "training.json").read_text())["history"][0]["validation_score"] is None
    assert np.isnan(type(trained).load(tmp_path).history[0].validation_score)


def test_a_file_that_an_argument_names_counts_for_what_the_run_was_made_with(tmp_path):
    weights = tmp_path / "weights.bin"
    recipe = own_recipe(arguments={"width": str(weights)})
    assert files_of(recipe) == {}
    weights.write_bytes(b"one")
    one = files_of(recipe)
    assert one[str(weights)] == digest_if_there(weights)
    weights.write_bytes(b"other")
    assert files_of(recipe) != one


class Peeking(Bare):
    def predict_step(self, batch, batch_idx):
        return functional.one_hot(batch["target"], 2).float()


def test_what_is_judged_is_not_given_the_truth(features, fitted):
    recipe, trained = fitted(Peeking)
    with pytest.raises(ModelError, match=r"Peeking.predict_step failed: KeyError: 'target'"):
        predict(recipe, trained, features, splits(features).test)


def test_gradients_of_two_batches_are_gathered_where_a_callback_says_so(features, tmp_path):
    target = "lightning.pytorch.callbacks.GradientAccumulationScheduler"
    gathering = ForeignComponent(target=target, arguments={"scheduling": {"0": 2}})
    plain, gathered = (
        train_model(own_recipe(epochs=1, callbacks=chosen), features, splits(features), tmp_path / name)
        for name, chosen in (("plain", ()), ("gathered", (gathering,)))
    )
    assert plain.weights_digest != gathered.weights_digest
    wrong = ForeignComponent(target=target, arguments={"scheduling": {"0": -2}})
    with pytest.raises(TrainingError, match=r"training.callbacks: .* refuses its arguments"):
        train_model(own_recipe(epochs=1, callbacks=(wrong,)), features, splits(features), tmp_path / "wrong")


class Several(Bare):
    """An ensemble that finds its columns by name: members say that a picture is redder than so much."""

    def take_inputs(self, inputs):
        self.place = inputs.targets.index("good")
        self.layer = torch.nn.Linear(inputs.image[2], 3, bias=False)  # unknown before

    def members_step(self, batch):
        return self.layer(batch["image"].mean(dim=(2, 3))).sigmoid()

    def training_step(self, batch, batch_idx):
        wanted = (batch["target"] == self.place).float()[:, None].expand(-1, 3)
        return functional.binary_cross_entropy(self.members_step(batch), wanted)

    def predict_step(self, batch, batch_idx):
        mean = self.members_step(batch).mean(dim=1)
        return torch.stack([mean if place == self.place else 1 - mean for place in range(2)], dim=1)


def test_each_member_is_asked_and_their_mean_is_the_answer_whatever_the_batch(features, fitted):
    recipe, trained = fitted(Several)
    rows = splits(features).test
    members, answers = (ask(recipe, trained, features, rows) for ask in (predict_members, predict))
    assert members.shape == (len(rows), 3)
    assert np.ptp(members, axis=1).min() > 0
    assert np.allclose(members.mean(axis=1), answers[:, features.targets.names.index("good")], atol=1e-6)
    alone = [predict_members(recipe, trained, features, rows[place : place + 1]) for place in range(3)]
    assert np.allclose(np.concatenate(alone), members[:3], atol=1e-6)


def test_a_model_that_is_one_has_no_members(features, trained):
    assert predict_members(own_recipe(epochs=8), trained, features, splits(features).test) is None


class Lost(Bare):
    def take_inputs(self, inputs):
        self.place = inputs.numeric.index("spend")


class Flat(Bare):
    def members_step(self, batch):
        return batch["image"].mean(dim=(1, 2, 3))


def test_a_column_that_is_not_there_is_told_before_training(fitted):
    with pytest.raises(ModelError, match=r"Lost.take_inputs failed: ValueError"):
        fitted(Lost)


def test_members_without_a_row_for_each_sample_are_refused(features, fitted):
    recipe, trained = fitted(Flat)
    with pytest.raises(ModelError, match=r"Flat.members_step must return what each member answers.*got \(15,\)"):
        predict_members(recipe, trained, features, splits(features).test)
