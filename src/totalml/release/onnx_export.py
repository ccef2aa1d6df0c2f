"""Write a run's model as one ONNX file, and check that it answers as the run did.

The file holds everything from what features give to the task's answers, so that who serves it needs neither torch nor
the recipe.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.errors import ModelError
from totalml.recipe import RuntimeRecipe
from totalml.release.onnx_model import CATEGORICAL, IMAGE, NUMERIC, SCORES, OnnxModel
from totalml.release.onnx_writing import MEND, OPSET, onnx_bytes
from totalml.release.served_module import served_module
from totalml.store.atomic import write_atomically
from totalml.training import predict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.features import FeatureSet
    from totalml.recipe import Recipe
    from totalml.training import TrainedModel

# Of the largest difference of an answer, in units of the largest answer of its column, or of 1 where that is less. Sums
# in another order, and normalisation folded into convolutions, moved answers by up to 6e-6 (ResNet-18), by 3e-7 in
# smaller networks; an operator that does something else moves them by far more.
TOLERANCE = 1e-4
CHECKED = 256  # samples
CHUNK = 64  # samples that are run at once


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
    data = onnx_bytes(served_module(recipe, trained.weights))
    model = OnnxModel.load(data, recipe.runtime.threads or 1)
    apart = _largest_difference(_answers(model, seen, chosen), truth)
    if not apart <= TOLERANCE:  # nor is it where one of them is no number
        raise ModelError(
            f"the exported model answers otherwise than the run: {apart:.1e} apart, at most {TOLERANCE:.0e} of the "
            f"largest answer is borne. {MEND}"
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
        raise ModelError(f"the exported model gives scores {answers.shape}, the run {truth.shape}. {MEND}")
    scale = np.maximum(1, np.abs(truth).max(axis=0))
    return float((np.abs(answers.astype(np.float64) - truth) / scale).max())
