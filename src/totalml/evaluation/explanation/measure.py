"""Explain every test picture, and measure where the explanations lie."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from totalml.evaluation.explanation import methods
from totalml.evaluation.explanation.chosen import chosen
from totalml.evaluation.explanation.intervals import mean_intervals
from totalml.evaluation.explanation.layer import MapLayer, map_layer
from totalml.evaluation.explanation.located import OnParts, enlarged, on_parts
from totalml.evaluation.explanation.randomised import randomised_similarity
from totalml.evaluation.explanation.record import (
    GRAD_CAM,
    INTEGRATED,
    SMOOTHGRAD,
    Explanation,
    Located,
    Pointing,
)
from totalml.evaluation.interval import Interval
from totalml.evaluation.record import Evaluation
from totalml.evaluation.scores import Floats, Ints
from totalml.evaluation.shares import gap_bounds, wilson, z_of
from totalml.features.masks import masks_of
from totalml.recipe import EvaluationRecipe, ExplanationRecipe, Recipe
from totalml.recipe.evaluation import EVERYWHERE_ELSE, SUBJECT
from totalml.training import TrainedModel
from totalml.training.whole import WholeNetwork, whole_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.features import FeatureSet
    from totalml.store import Store

CHUNK = 64  # masks held at once
MASK_PX = 128  # side that they are looked at in, at most

NO_MAP = "the model keeps no map of the picture up to its later layers, as vision transformers do not: no Grad-CAM"
NO_MASKS = "no test picture has a mask, so what it looked at is shown but not measured"
NO_PARTS = "the recipe names no parts of the masks (evaluation.explanation.parts), so nothing is measured on them"


def explain(
    recipe: Recipe,
    trained: TrainedModel,
    features: FeatureSet,
    samples: pa.Table,
    store: Store,
    rows: Ints,
    evaluation: Evaluation,
) -> Explanation:
    """Explain the answers of `evaluation`.

    Args:
        samples: of the snapshot, with `mask`.
        rows: (N,) of the test samples, in the order of `evaluation.predictions`.
    Raises:
        EvaluationError: the features hold no pictures.
        FeatureError: a mask cannot be read.
    """
    asked = recipe.evaluation.explanation or ExplanationRecipe()
    labels, predicted = (_codes(evaluation, name) for name in ("label", "predicted"))
    shown = chosen(labels, predicted, evaluation.predictions["confidence"].to_numpy())
    with whole_network(recipe, trained, features) as whole:
        layer = map_layer(whole.network, whole.inputs(rows[:1]))
        maps = None if layer is None else methods.grad_cam(whole, whole.network, layer, rows, predicted)
        told = Explanation(
            layer=layer and layer.name,
            count=len(rows),
            masked=0,
            subject=asked.subject,
            located=(),
            pointing=None,
            randomised_similarity=None,
            confidence=evaluation.confidence,
            notes=(),
            shown=tuple(shown.tolist()),
            maps=_drawn(whole, rows[shown], predicted[shown], recipe.seed),
        )
        if layer is None or maps is None:
            return replace(told, notes=(NO_MAP,))
        similarity = _similarity(whole, layer, rows, predicted, maps, recipe)
    fine = enlarged(maps[shown], min(methods.FINE_GRID, _side(features)))
    kept = {GRAD_CAM: scaled(maps), f"shown.{GRAD_CAM}": scaled(fine), **told.maps}
    told = replace(told, randomised_similarity=similarity, maps=kept)
    found = _on_masks(asked, recipe, samples, store, rows, maps)
    if isinstance(found, str):
        return replace(told, notes=(found,))
    located, pointing = _figures(found, asked, recipe.evaluation, recipe.seed)
    return replace(told, masked=len(found.hit), located=located, pointing=pointing)


def scaled(maps: methods.Maps) -> NDArray[np.uint8]:
    """Each map's positive part with its strongest place at 255."""
    positive = np.maximum(maps, 0)
    most = positive.max(axis=(1, 2), keepdims=True)
    return np.round(255 * positive / np.where(most > 0, most, 1)).astype(np.uint8)


def _codes(evaluation: Evaluation, column: str) -> Ints:
    place = {label: k for k, label in enumerate(evaluation.classes)}
    return np.array([place[name] for name in evaluation.predictions[column].to_pylist()], np.int64)


def _side(features: FeatureSet) -> int:
    return features.images.shape[0] if features.images else 0


def _drawn(whole: WholeNetwork, rows: Ints, classes: Ints, seed: int) -> dict[str, NDArray[np.uint8]]:
    """The finer maps of the pictures that are shown."""
    return {
        f"shown.{INTEGRATED}": scaled(methods.integrated_gradients(whole, rows, classes)),
        f"shown.{SMOOTHGRAD}": scaled(methods.smoothgrad_squared(whole, rows, classes, seed)),
    }


def _similarity(
    whole: WholeNetwork, layer: MapLayer, rows: Ints, classes: Ints, maps: methods.Maps, recipe: Recipe
) -> Interval:
    similar = randomised_similarity(whole, layer, rows, classes, maps, recipe.seed)
    similar = similar[np.isfinite(similar)]
    if not len(similar):
        return Interval(None, note="the maps are flat")
    return _means(similar[:, None], recipe.evaluation, recipe.seed)[0]


def _means(values: Floats, evaluation: EvaluationRecipe, seed: int) -> list[Interval]:
    return mean_intervals(values, evaluation.bootstrap, evaluation.confidence, seed)


def _on_masks(
    asked: ExplanationRecipe, recipe: Recipe, samples: pa.Table, store: Store, rows: Ints, maps: methods.Maps
) -> OnParts | str:
    """Where the maps lie, of the pictures with a mask and anything that speaks for the answer; or why nobody knows."""
    blobs = np.array(samples["mask"].take(pa.array(rows)).to_pylist(), object)
    masked = np.flatnonzero([blob is not None for blob in blobs])
    if not len(masked):
        return NO_MASKS
    if not asked.parts:
        return NO_PARTS
    telling = masked[maps[masked].max(axis=(1, 2)) > 0]
    if not len(telling) or recipe.features.image is None:
        return "in no picture with a mask did Grad-CAM find anything that speaks for the answer"
    image = recipe.features.image
    image = image.model_copy(update={"size": min(image.size, MASK_PX)})
    chunks = [telling[start : start + CHUNK] for start in range(0, len(telling), CHUNK)]
    limit = recipe.data.max_megapixels
    return OnParts.joined(
        [
            on_parts(maps[part], masks_of(blobs[part].tolist(), image, limit, store), asked.parts, asked.subject)
            for part in chunks
        ]
    )


def _figures(
    found: OnParts, asked: ExplanationRecipe, evaluation: EvaluationRecipe, seed: int
) -> tuple[tuple[Located, ...], Pointing | None]:
    names = [*asked.parts, EVERYWHERE_ELSE, *([SUBJECT] if asked.subject else [])]
    three = [_means(part, evaluation, seed) for part in (found.share, found.share - found.area)]
    over_centre = _means(found.share - found.centre, evaluation, seed)
    located = tuple(
        Located(
            name,
            three[0][k],
            float(found.area[:, k].mean()),
            float(found.centre[:, k].mean()),
            three[1][k],
            over_centre[k],
        )
        for k, name in enumerate(names)
    )
    return located, _pointing(found, z_of(evaluation.confidence)) if asked.subject else None


def _pointing(found: OnParts, z: float) -> Pointing:
    count = np.array([len(found.hit)])
    hits, centre = (np.array([part.sum()]) for part in (found.hit, found.centre_hit))
    low, high = wilson(hits, count, z)
    least, most = gap_bounds(hits, count, centre, count, z)
    share, middle = float(hits[0] / count[0]), float(centre[0] / count[0])
    return Pointing(
        hits=Interval(share, float(low[0]), float(high[0])),
        random=float(found.area[:, -1].mean()),
        centre=middle,
        over_centre=Interval(share - middle, float(least[0]), float(most[0])),
    )
