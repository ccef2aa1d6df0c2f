"""Write a run's model as one ONNX file, and check that it answers as the run did.

The file holds everything from what features give to the task's answers, so that who serves it needs neither torch nor
the recipe. Equal weights give equal bytes: nothing of it tells where or when it was written.
"""

from __future__ import annotations

import io
import logging
import traceback
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from totalml.errors import ModelError
from totalml.evaluation.explanation.layer import map_layer
from totalml.kinds import Task
from totalml.model import Network, load_network
from totalml.model.inputs import Inputs
from totalml.model.saved import load_state
from totalml.recipe import RuntimeRecipe
from totalml.release.onnx_model import CATEGORICAL, EMBEDDING, IMAGE, INPUTS, MAPS, NUMERIC, SCORES, OnnxModel
from totalml.store.atomic import write_atomically
from totalml.training import predict
from totalml.training.execution import quiet_lightning
from totalml.training.own_batches import planes

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule
    from numpy.typing import NDArray

    from totalml.features import FeatureSet
    from totalml.recipe import Recipe
    from totalml.training import TrainedModel

OPSET = 20
# Of the largest difference of an answer, in units of the largest answer of its column, or of 1 where that is less. Sums
# in another order, and normalisation folded into convolutions, moved answers by up to 6e-6 (ResNet-18), by 3e-7 in
# smaller networks; an operator that does something else moves them by far more.
TOLERANCE = 1e-4
CHECKED = 256  # samples
CHUNK = 64  # samples that are run at once
TRACED = 2  # samples: torch.export takes a batch of one for a constant
BATCH = "batch"  # what the file calls the number of samples
MEAN_TOLERANCE = 1e-4  # between an embedding and the mean of its maps, in units of its largest number
LONGEST = 200  # characters of a reason

_MEND = "Release it as torch instead, which is served with the extra 'torch'."
# What torch says of a model that cannot be exported, and what that means.
_PLAIN = {
    "Constraints violated": "its code takes batches of one size only, as by len() of a tensor",
    "data-dependent": "its code decides by the values of a batch",
    "Data-dependent": "its code decides by the values of a batch",
    "No ONNX function found": "ONNX has no operator for a step of it",
}


@dataclass(frozen=True)
class Exported:
    """Args:
    inputs, outputs: names, in the order of the file.
    largest_difference: of an answer from the run's own, relative as `TOLERANCE` says.
    samples: that were compared.
    """

    opset: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    largest_difference: float
    samples: int


def export_onnx(
    recipe: Recipe, trained: TrainedModel, features: FeatureSet, rows: NDArray[np.int64], file: Path
) -> Exported:
    """Write the network with its frozen backbone, and the task's answers; nothing is written unless they agree.

    Args:
        features, rows: samples to compare answers on, of which 256 are taken, evenly.
    Raises: ModelError: the model cannot be read, cannot be exported, or answers otherwise than the run did.
    """
    if not len(rows):
        raise ModelError("there is no sample to check the exported model on; give rows of its features")
    chosen = rows[np.unique(np.linspace(0, len(rows) - 1, CHECKED).astype(np.int64))]
    recipe = recipe.model_copy(update={"runtime": RuntimeRecipe(device="cpu", threads=recipe.runtime.threads)})
    seen = replace(features, embeddings=None)  # from pictures on, whatever of the network was frozen
    truth = predict(recipe, trained, seen, chosen)
    served = _served(recipe, trained.weights)
    data = _exported(served)
    model = OnnxModel.load(data, recipe.runtime.threads or 1)
    apart = _largest_difference(_answers(model, seen, chosen), truth)
    if not apart <= TOLERANCE:  # nor is it where one of them is no number
        raise ModelError(
            f"the exported model answers otherwise than the run: {apart:.1e} apart, at most {TOLERANCE:.0e} of the "
            f"largest answer is borne. {_MEND}"
        )
    write_atomically(file, data)
    return Exported(OPSET, tuple(model.inputs), tuple(model.outputs), apart, len(chosen))


def _answers(model: OnnxModel, features: FeatureSet, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """(n, A) scores."""
    parts = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    return np.concatenate([model.run(_given(model, features, part), [SCORES])[SCORES] for part in parts])


def _given(model: OnnxModel, features: FeatureSet, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    given: dict[str, NDArray[Any]] = {NUMERIC: features.numeric[rows], CATEGORICAL: features.categorical[rows]}
    if features.images is not None:
        given[IMAGE] = features.images.gather(rows)
    return {name: given[name] for name in model.inputs}


def _largest_difference(answers: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Of (n, A) each; NaN if one of them holds a NaN."""
    if answers.shape != truth.shape:
        raise ModelError(f"the exported model gives scores {answers.shape}, the run {truth.shape}. {_MEND}")
    scale = np.maximum(1, np.abs(truth).max(axis=0))
    return float((np.abs(answers.astype(np.float64) - truth) / scale).max())


class _Served(nn.Module):
    """What the file computes.

    Args:
        inputs: what the model takes.
        used: names of those that it looks at.
    """

    outputs: tuple[str, ...] = (SCORES,)

    def __init__(self, inputs: Inputs, used: tuple[str, ...]) -> None:
        super().__init__()
        shapes = {IMAGE: inputs.image, NUMERIC: (len(inputs.numeric),), CATEGORICAL: (len(inputs.categorical),)}
        # Inputs of no columns are left out.
        self.shapes = {name: shape for name in INPUTS if name in used and (shape := shapes[name]) not in (None, (0,))}

    def blank(self) -> dict[str, Tensor]:
        """A batch to be traced, by name and in the order of the file."""
        return {
            name: torch.zeros(TRACED, *shape or (), dtype=getattr(torch, INPUTS[name]))
            for name, shape in self.shapes.items()
        }

    def forward(
        self, image: Tensor | None = None, numeric: Tensor | None = None, categorical: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """Each of `outputs`, from the inputs that there are."""
        named = ((IMAGE, image), (NUMERIC, numeric), (CATEGORICAL, categorical))
        return self.answers({name: tensor for name, tensor in named if tensor is not None})

    def answers(self, given: dict[str, Tensor]) -> tuple[Tensor, ...]:
        raise NotImplementedError


class _ServedNetwork(_Served):
    """`scores`, `embedding` and, where the head is linear on the mean of maps, `maps`."""

    speaking: Tensor | None

    def __init__(self, network: Network, task: Task) -> None:
        image = (IMAGE,) if network.scaler is not None else ()
        table = (NUMERIC, CATEGORICAL) if network.encoder is not None else ()
        super().__init__(network.inputs, image + table)
        self.network, self.task = network, task
        self.outputs = (SCORES, EMBEDDING)
        self.layer, speaking = _map_head(network, task, _whole(self.blank()))
        self.register_buffer("speaking", speaking)
        if self.layer is not None:
            self.outputs = (*self.outputs, MAPS)

    def answers(self, given: dict[str, Tensor]) -> tuple[Tensor, ...]:
        with _heard(self.network, self.layer) as heard:
            scores = self.task.answers(self.network(_whole(given)))
        if self.speaking is None:
            return scores, heard[EMBEDDING]
        return scores, heard[EMBEDDING], functional.conv2d(heard[MAPS], self.speaking).relu()


class _ServedModule(_Served):
    """`scores` alone: what the `predict_step` of a recipe's own LightningModule answers."""

    def __init__(self, module: LightningModule, inputs: Inputs) -> None:
        super().__init__(inputs, (IMAGE, NUMERIC, CATEGORICAL))
        self.module = module

    def answers(self, given: dict[str, Tensor]) -> tuple[Tensor, ...]:
        batch = {name: planes(tensor) if name == IMAGE else tensor for name, tensor in given.items()}
        scores: Tensor = self.module.predict_step(batch, 0)
        return (scores.float(),)


def _served(recipe: Recipe, weights: Path) -> _Served:
    if recipe.model.module is None:
        return _ServedNetwork(load_network(recipe.model, recipe.task, weights), recipe.task)
    from totalml.training.own_module import create

    state, inputs = load_state(weights)
    with torch.random.fork_rng([]), quiet_lightning():
        module = create(recipe)
    module.load_state_dict(state)
    return _ServedModule(module, inputs)


def _whole(given: dict[str, Tensor]) -> dict[str, Tensor]:
    """With the columns of a table that has none of a kind, which a network is given all the same."""
    count = next(iter(given.values())).shape[0]  # not len(), which torch.export takes for a constant
    nothing = {NUMERIC: torch.zeros(count, 0), CATEGORICAL: torch.zeros(count, 0, dtype=torch.int64)}
    return {**nothing, **given}


def _map_head(network: Network, task: Task, blank: dict[str, Tensor]) -> tuple[str | None, Tensor | None]:
    """The layer that Grad-CAM looks at, and (A, C, 1, 1) what its map of each channel says for each class.

    Grad-CAM weighs a map by its mean gradient. Where the score is linear on the mean of maps of h x w places, that is
    the head's weight / (h * w) at every place of every picture; of a score less the mean of all, as the explanation
    has it, the weight less the mean of all. Nothing where the scores hang on the maps in another way: that is tried.

    Source: Zhou et al. 2016, which Selvaraju et al. 2017 generalise.
    """
    if "explanation" not in task.parts or type(network.head) is not nn.Linear or IMAGE not in blank:
        return None, None
    noise = torch.randint(0, 256, blank[IMAGE].shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    given = {**blank, IMAGE: noise}
    network.eval()
    if (layer := map_layer(network, given)) is None:
        return None, None
    with torch.no_grad(), _heard(network, layer.name) as heard:
        network(given)
    maps, embedding = heard[MAPS], heard[EMBEDDING]
    mean, channels = maps.mean(dim=(2, 3)), maps.shape[1]
    joined = embedding[:, :channels]  # that of the picture stands in front
    near = MEAN_TOLERANCE * float(embedding.abs().max())
    if joined.shape != mean.shape or not torch.allclose(joined, mean, rtol=0, atol=near):
        return None, None
    weight = network.head.weight.detach()[:, :channels]
    return layer.name, ((weight - weight.mean(dim=0)) / maps[0, 0].numel())[:, :, None, None]


@contextmanager
def _heard(network: Network, layer: str | None) -> Iterator[dict[str, Tensor]]:
    """While it runs: the joined `embedding` in front of the head, and the `maps` that a layer puts out."""
    heard: dict[str, Tensor] = {}
    with ExitStack() as stack:
        hook = network.head.register_forward_pre_hook(lambda _, given: heard.update({EMBEDDING: given[0]}))
        stack.callback(hook.remove)
        if layer is not None:
            # A copy, because what comes after it may work in place.
            told = network.get_submodule(layer)
            hook = told.register_forward_hook(lambda _, _given, output: heard.update({MAPS: output.clone()}))
            stack.callback(hook.remove)
        yield heard


def _exported(served: _Served) -> bytes:
    """Raises: ModelError: the model cannot be exported; why, in one line."""
    blank = served.blank()
    batch = torch.export.Dim(BATCH)
    served.eval().requires_grad_(False)
    try:
        with _quiet():
            program = torch.export.export(
                served, (), blank, dynamic_shapes={name: {0: batch} for name in blank}, strict=False
            )
            written = torch.onnx.export(
                program,
                dynamo=True,
                input_names=[*blank],
                output_names=[*served.outputs],
                opset_version=OPSET,
                verbose=False,
            )
            if written is None:
                raise ModelError("torch wrote nothing")
            return _plain_bytes(written.model_proto)
    except Exception as error:  # torch, its exporter and code of the recipe's own fail in any way
        raise ModelError(f"the model cannot be exported as ONNX: {_reason(error)}. {_MEND}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No word of the exporter, nor of the model's own code: what went wrong is raised."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def _plain_bytes(model: Any) -> bytes:
    """What the model computes and nothing else: no paths, names of classes, lines of code or notes of the exporter.

    Args: model: onnx.ModelProto; is changed.
    """
    for name in ("producer_name", "producer_version", "domain", "model_version"):
        model.ClearField(name)
    model.graph.ClearField("value_info")  # shapes in between, which onnxruntime works out itself
    for port in (*model.graph.input, *model.graph.output):
        port.type.tensor_type.shape.dim[0].dim_param = BATCH
    _without_notes(model)
    written: bytes = model.SerializeToString(deterministic=True)
    return written


def _without_notes(message: Any) -> None:
    for field, value in message.ListFields():
        if field.name in ("doc_string", "metadata_props"):
            message.ClearField(field.name)
        elif field.message_type is not None:
            for inner in (value,) if hasattr(value, "ListFields") else value:
                _without_notes(inner)


def _reason(error: BaseException) -> str:
    """The innermost cause in one line, with the line of the recipe's own code."""
    while error.__cause__ is not None:
        error = error.__cause__
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "recipes" in Path(frame.filename).parts]
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = f"{type(error).__name__}: {lines[0] if lines else ''}"[:LONGEST].rstrip(". :")
    plain = next((f"{plain} ({told})" for sign, plain in _PLAIN.items() if sign in str(error)), told)
    return plain + where
