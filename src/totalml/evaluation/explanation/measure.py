"""Explain every test picture, and measure where the explanations lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.classification.record import ClassificationEvaluation
from totalml.evaluation.explanation import methods
from totalml.evaluation.explanation.chosen import chosen
from totalml.evaluation.explanation.intervals import mean_intervals
from totalml.evaluation.explanation.layer import map_layer
from totalml.evaluation.explanation.located import enlarged
from totalml.evaluation.explanation.masked import Masked
from totalml.evaluation.explanation.randomised import randomised_similarity
from totalml.evaluation.explanation.record import GRAD_CAM, INTEGRATED, SMOOTHGRAD, Explanation
from totalml.evaluation.interval import Interval
from totalml.recipe import Recipe
from totalml.training import TrainedModel
from totalml.training.end_to_end import end_to_end_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.features import FeatureSet
    from totalml.store import Store

MEASURED = 32  # masked pictures, evenly chosen, that integrated gradients are measured on: they cost 32 looks each

NO_MAP = (
    "the network keeps no map of the picture up to its later half, as vision transformers do not, so there is no "
    "Grad-CAM of it"
)


def explain(
    recipe: Recipe,
    trained: TrainedModel,
    features: FeatureSet,
    samples: pa.Table,
    store: Store,
    rows: Ints,
    evaluation: ClassificationEvaluation,
) -> Explanation:
    """Explain the answers of `evaluation`.

    Args:
        samples: of the snapshot, with `mask`.
        rows: (N,) of the test samples, in the order of `evaluation.predictions`.
    Raises:
        EvaluationError: the features hold no pictures.
        FeatureError: a mask cannot be read.
    """
    said = _codes(evaluation, "predicted")
    shown = chosen(_codes(evaluation, "label"), said, evaluation.predictions["confidence"].to_numpy())
    masked = Masked.among(rows, samples, recipe, store)
    sample = masked.evenly(MEASURED)
    fine = np.union1d(shown, sample)  # some are both
    with end_to_end_network(recipe, trained, features) as whole:
        layer = map_layer(whole.network, whole.inputs(rows[:1]))
        integrated = methods.integrated_gradients(whole, rows[fine], said[fine])
        maps = {
            f"shown.{INTEGRATED}": scaled(integrated[np.searchsorted(fine, shown)]),
            f"shown.{SMOOTHGRAD}": scaled(methods.smoothgrad_squared(whole, rows[shown], said[shown], recipe.seed)),
        }
        measured = [masked.measure(INTEGRATED, integrated[np.searchsorted(fine, sample)], sample)]
        notes = [masked.why_not] if masked.why_not else []
        similarity = None
        if layer is None:
            notes.append(NO_MAP)
        else:
            cam = methods.grad_cam(whole, whole.network, layer, rows, said)
            side = integrated.shape[-1]
            maps |= {GRAD_CAM: scaled(cam), f"shown.{GRAD_CAM}": scaled(enlarged(cam[shown], side))}
            measured.insert(0, masked.measure(GRAD_CAM, cam, np.arange(len(rows))))
            similarity = _mean(randomised_similarity(whole, layer, rows, said, cam, recipe.seed), recipe)
    return Explanation(
        layer=layer.name if layer else None,
        count=len(rows),
        subject=masked.asked.subject,
        measured=tuple(one for one in measured if one),
        randomised_similarity=similarity,
        confidence=evaluation.confidence,
        notes=tuple(notes),
        shown=tuple(shown.tolist()),
        maps=maps,
    )


def scaled(maps: methods.Maps) -> NDArray[np.uint8]:
    """Each map's positive part with its strongest place at 255."""
    positive = np.maximum(maps, 0)
    most = positive.max(axis=(1, 2), keepdims=True)
    return np.round(255 * positive / np.where(most > 0, most, 1)).astype(np.uint8)


def _codes(evaluation: ClassificationEvaluation, column: str) -> Ints:
    place = {label: k for k, label in enumerate(evaluation.classes)}
    return np.array([place[name] for name in evaluation.predictions[column].to_pylist()], np.int64)


def _mean(values: Floats, recipe: Recipe) -> Interval:
    known = values[np.isfinite(values)]
    if not len(known):
        return Interval(None, note="all maps are flat")
    return mean_intervals(known[:, None], recipe.evaluation, recipe.seed)[0]
