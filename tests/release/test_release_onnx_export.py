"""A run's model as one ONNX file answers, embeds and points as it does in torch."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule

import totalml
from tests.release.exported import COUNT, RUNS, own_run
from tests.warm import run_python
from totalml.component import ForeignComponent
from totalml.errors import ModelError
from totalml.evaluation.explanation.layer import map_layer
from totalml.evaluation.explanation.methods import grad_cam
from totalml.evaluation.out_of_distribution.embed import embedded
from totalml.release import onnx_export
from totalml.training import predict
from totalml.training.end_to_end import end_to_end_network

REPOSITORY = Path(__file__).parents[2]
ALL = np.arange(COUNT)
SLOW = ("resnet", "mobilenet")


def each(*but: str) -> list[object]:
    """The names of all releases."""
    return [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in RUNS if name not in but]


@pytest.mark.parametrize("name", each())
def test_it_answers_as_the_run_does_in_batches_of_any_size(name, release):
    made = release(name)
    truth = predict(made.recipe, made.trained, made.features, ALL)
    assert truth.std(axis=0).min() > 1e-3 * max(1, np.abs(truth).max())
    scale = np.maximum(1, np.abs(truth).max(axis=0))
    for rows in (ALL[:0], ALL[:1], ALL[5:8], ALL):
        scores = made.model.run(made.given(rows), ["scores"])["scores"]
        assert scores.shape == truth[rows].shape
        assert (np.abs(scores - truth[rows]) / scale).max(initial=0) < onnx_export.TOLERANCE / 4


@pytest.mark.parametrize("name", each())
def test_it_takes_what_features_hold_and_says_how_it_was_checked(name, release):
    made = release(name)
    assert {*made.model.inputs} == {*made.given(ALL[:1])}
    assert {name: port.shape[1:] for name, port in made.model.inputs.items()} == {
        name: given.shape[1:] for name, given in made.given(ALL[:1]).items()
    }
    assert made.exported.outputs == tuple(made.model.outputs)
    assert made.exported.inputs == tuple(made.model.inputs)
    assert made.exported.samples == 256
    assert 0 <= made.exported.largest_difference < onnx_export.TOLERANCE / 4


def test_what_is_missing_and_what_is_unknown_is_answered_as_by_the_run(release):
    made = release("labels")
    rows = np.flatnonzero(np.isnan(made.features.numeric).any(axis=1) & (made.features.categorical == 0).any(axis=1))
    assert len(rows) > 10
    given = made.given(rows)
    scores = made.model.run(given)["scores"]
    assert np.allclose(scores, predict(made.recipe, made.trained, made.features, rows), atol=1e-5)
    filled = given | {"numeric": np.nan_to_num(given["numeric"])}
    assert np.abs(made.model.run(filled)["scores"] - scores).max(axis=1).min() > 1e-4
    known = given | {"categorical": np.maximum(given["categorical"], 1)}
    assert np.abs(made.model.run(known)["scores"] - scores).max(axis=1).min() > 1e-4


@pytest.mark.parametrize("name", each("own", "labels", "quantiles"))
def test_the_embedding_is_what_enters_the_head(name, release):
    made = release(name)
    with end_to_end_network(made.recipe, made.trained, made.features) as whole:
        entered, _ = embedded(whole, ALL[:9])
    given = made.model.run(made.given(ALL[:9]), ["embedding"])["embedding"]
    assert np.allclose(given, entered, atol=1e-5 * max(1, np.abs(entered).max()))


@pytest.mark.parametrize("name", each("labels", "values", "quantiles", "mobilenet", "own"))
def test_its_maps_are_grad_cam_of_every_class(name, release):
    made, rows = release(name), ALL[:40]
    maps = made.model.run(made.given(rows), ["maps"])["maps"]
    with end_to_end_network(made.recipe, made.trained, made.features) as whole:
        layer = map_layer(whole.network, whole.inputs(rows[:1]))
        by_gradients = [grad_cam(whole, whole.network, layer, rows, np.full(len(rows), place)) for place in range(3)]
    speaking = np.stack(by_gradients, axis=1).clip(min=0)
    assert maps.shape == speaking.shape
    assert speaking.max() > 1e-3
    # Of a deep network the maps themselves are further apart than that.
    bound = onnx_export.TOLERANCE / 4 if name == "resnet" else 1e-6
    assert np.abs(maps - speaking).max() < bound * max(1, speaking.max())


@pytest.mark.slow
def test_there_are_no_maps_where_layers_lie_between_their_mean_and_the_head(release):
    assert release("mobilenet").exported.outputs == ("scores", "embedding")


@pytest.mark.parametrize("name", ["labels", "values", "quantiles"])
def test_there_are_no_maps_of_other_tasks(name, release):
    assert release(name).exported.outputs == ("scores", "embedding")


def test_of_a_module_of_its_own_only_the_answers_are_known(release):
    assert release("own").exported.outputs == ("scores",)


def test_a_frozen_backbone_is_in_the_file(release):
    made = release("frozen")
    assert {*made.model.inputs} == {"image"}
    by_embeddings = predict(made.recipe, made.trained, made.features, ALL)
    assert np.allclose(made.model.run(made.given(ALL))["scores"], by_embeddings, atol=1e-5)


def test_equal_weights_give_equal_bytes_wherever_the_code_lies_and_nothing_is_said(release, tmp_path):
    made = release("both")
    shutil.copytree(Path(totalml.__file__).parent, tmp_path / "elsewhere" / "totalml")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path / 'elsewhere'}{os.pathsep}{REPOSITORY}"}
    done = run_python(["-m", "tests.release.exported", "both", str(tmp_path / "again")], tmp_path, environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    data = made.file.read_bytes()
    assert (tmp_path / "again" / "model.onnx").read_bytes() == data
    for trace in (b"totalml", b"torch", b".py", str(REPOSITORY).encode()):
        assert trace not in data


class Bare(LightningModule):
    """What those below have in common; none of it is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(3, 2)

    def predict_step(self, batch, batch_idx):
        return self.layer(batch["image"].mean(dim=(2, 3))).softmax(dim=1)


class Deciding(Bare):
    def predict_step(self, batch, batch_idx):
        answers = super().predict_step(batch, batch_idx)
        return answers if batch["image"].mean() > 0.5 else answers.flip(1)


class OneSize(Bare):
    def predict_step(self, batch, batch_idx):
        return super().predict_step(batch, batch_idx).reshape(len(batch["image"]), 2)


class NoOperator(Bare):
    def predict_step(self, batch, batch_idx):
        answers = super().predict_step(batch, batch_idx)
        return answers + 0 * torch.linalg.eigvalsh(answers.T @ answers)


class Broken(Bare):
    def predict_step(self, batch, batch_idx):
        if torch.compiler.is_exporting():
            print("a word of its own")
            raise KeyError("no such layer\nand more of it")
        return super().predict_step(batch, batch_idx)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Deciding, "its code decides by the values of a batch"),
        (OneSize, r"its code takes batches of one size only, as by len\(\) of a tensor"),
        (NoOperator, "ONNX has no operator for a step of it"),
        (Broken, "KeyError: 'no such layer"),
    ],
)
def test_what_cannot_be_exported_is_told_in_one_line_with_the_way_out(kind, told, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(ForeignComponent, "create", lambda self: kind())
    run = own_run(tmp_path)
    with pytest.raises(ModelError, match=told) as caught:
        run.export(tmp_path / "model.onnx")
    message = str(caught.value)
    assert message.startswith("the model cannot be exported as ONNX: ")
    assert "Release it as torch instead" in message
    assert "\n" not in message
    assert len(message) < 500
    assert capfd.readouterr() == ("", "")
    assert not (tmp_path / "model.onnx").exists()


@pytest.mark.parametrize("wrong", [1e-3, np.nan])
def test_a_file_that_answers_otherwise_is_not_written(wrong, release, tmp_path, monkeypatch):
    made = release("own")

    def other(*given):
        answers = predict(*given)
        answers[100, 0] += wrong
        return answers

    monkeypatch.setattr(onnx_export, "predict", other)
    monkeypatch.setattr(onnx_export, "onnx_bytes", lambda served: made.file.read_bytes())
    with pytest.raises(ModelError, match=r"answers otherwise than the run: (1.0e-03|nan) apart, at most 1e-04"):
        made.export(tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_without_samples_nothing_can_be_checked(release, tmp_path):
    made = release("own")
    with pytest.raises(ModelError, match="there is no sample"):
        onnx_export.export_onnx(made.recipe, made.trained, made.features, ALL[:0], tmp_path / "model.onnx")
