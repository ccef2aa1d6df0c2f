"""What is trained behind a frozen backbone, and what it leaves."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.embedding.frozen_recipe import BACKBONE, frozen
from totalml.model import load_network
from totalml.task import Classification
from totalml.training import predict, train_model
from totalml.training.batches import Batches
from totalml.training.checkpoint import Checkpoint


def test_batches_hold_embeddings_in_place_of_pictures(embedded):
    (batch,) = Batches(embedded, np.array([7, 0]), 2)
    assert "image" not in batch
    assert np.array_equal(batch["embedding"].numpy(), embedded.embeddings.gather(np.array([7, 0])))


def test_the_frozen_weights_are_left_as_they_started_and_the_head_learns(embedded, splits, tmp_path):
    trained = train_model(frozen(), embedded, splits, tmp_path)
    state = load_file(trained.weights)
    torch.manual_seed(3)
    start = BACKBONE.build(3)[0].state_dict()
    assert {name for name in state if name.startswith("image.")} == {f"image.{name}" for name in start}
    for name, tensor in start.items():
        assert torch.equal(state[f"image.{name}"], tensor)
    assert trained.history[-1].train_loss < trained.history[0].train_loss
    other = train_model(frozen(learning_rate=0.01), embedded, splits, tmp_path / "other")
    assert not torch.equal(load_file(other.weights)["head.weight"], state["head.weight"])


def test_the_saved_network_says_of_pictures_what_the_run_said_of_embeddings(embedded, splits, tmp_path):
    recipe = frozen()
    trained = train_model(recipe, embedded, splits, tmp_path)
    by_embeddings = predict(recipe, trained, embedded, splits.test)
    network = load_network(recipe.model, Classification(), trained.weights)
    pictures = torch.from_numpy(embedded.images.gather(splits.test))
    with torch.inference_mode():
        by_pictures = network({"image": pictures}).softmax(dim=1).numpy()
    assert np.allclose(by_embeddings, by_pictures, atol=1e-5)
    assert by_pictures.std() > 0.01


def test_checkpoints_hold_what_is_trained_and_nothing_else(embedded, splits, tmp_path):
    train_model(frozen(), embedded, splits, tmp_path)
    for file in (tmp_path / "checkpoints").iterdir():
        network = torch.load(file, weights_only=True)["network"]
        assert {*network} == {"head.weight", "head.bias"}


def test_an_interrupted_training_comes_to_the_same_weights(embedded, splits, tmp_path, monkeypatch):
    whole = train_model(frozen(), embedded, splits, tmp_path / "whole")
    save, saved = Checkpoint.save, []

    def failing(self, path):
        save(self, path)
        saved.append(path.name)
        if saved.count("last.ckpt") == 2:
            raise MemoryError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "save", failing)
        with pytest.raises(MemoryError):
            train_model(frozen(), embedded, splits, tmp_path / "cut")
    again = train_model(frozen(), embedded, splits, tmp_path / "cut")
    assert again.resumed_from == 2
    assert again.weights_digest == whole.weights_digest


def test_other_embeddings_do_not_go_on_from_this_training(embedded, splits, tmp_path):
    train_model(frozen(), embedded, splits, tmp_path)
    other = replace(embedded, key="blake3:" + "7" * 64)
    assert train_model(frozen(), other, splits, tmp_path).resumed_from is None
