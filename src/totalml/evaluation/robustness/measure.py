"""Look at test pictures again and again, each time worse, with the same network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from totalml.errors import EvaluationError
from totalml.evaluation.arrays import Ints
from totalml.evaluation.interval import Interval
from totalml.evaluation.pictures import evenly, parts
from totalml.evaluation.robustness.corruptions import versions
from totalml.evaluation.robustness.record import Point, Robustness, Worst
from totalml.evaluation.shares import paired_bounds, wilson, z_of
from totalml.recipe import Recipe, RobustnessRecipe
from totalml.training.end_to_end import EndToEndNetwork, end_to_end_network

if TYPE_CHECKING:
    from totalml.features import FeatureSet
    from totalml.training import TrainedModel

Right = NDArray[np.bool_]


def measure_robustness(recipe: Recipe, trained: TrainedModel, features: FeatureSet, rows: Ints) -> Robustness:
    """Args:
    rows: of the test split.
    Raises: EvaluationError: there are no rows; ModelError: the model cannot be read.
    """
    asked = recipe.evaluation.robustness
    if asked is None or not len(rows):
        raise EvaluationError("robustness needs evaluation.robustness and test samples. Raise data.split.test.")
    chosen = evenly(rows, asked.samples)
    with end_to_end_network(recipe, trained, features) as whole, torch.inference_mode():
        unchanged, changed = judged(whole, asked, chosen)
    return robustness_of(asked, unchanged, changed, len(rows), recipe.evaluation.confidence)


def robustness_of(
    recipe: RobustnessRecipe, unchanged: Right, changed: Mapping[str, Right], among: int, confidence: float
) -> Robustness:
    """Args:
    unchanged: (N,) whether the model is right on each picture as it is.
    changed: kind -> (strengths, N), the same of the worse ones.
    """
    z, every = z_of(confidence), np.concatenate([*changed.values()])
    curves = {
        kind: tuple(
            Point(strength, _accuracy(right, z), _drop(unchanged, right, z))
            for strength, right in zip(recipe.kinds()[kind], rights, strict=True)
        )
        for kind, rights in changed.items()
    }
    names = [(kind, place) for kind, points in curves.items() for place in range(1, len(points) + 1)]
    lowest = int(every.sum(axis=1).argmin())
    wide = z_of(confidence, len(every))
    worst = Worst(*names[lowest], _accuracy(every[lowest], wide), _drop(unchanged, every[lowest], wide))
    return Robustness(len(unchanged), among, _accuracy(unchanged, z), curves, worst, confidence)


def judged(whole: EndToEndNetwork, recipe: RobustnessRecipe, rows: Ints) -> tuple[Right, dict[str, Right]]:
    """Where the network is right: (N,) on the pictures as they are, and kind -> (strengths, N) on the worse ones."""
    features = whole.features
    plain: list[Right] = []
    worse: dict[tuple[str, int], list[Right]] = defaultdict(list)
    for some in parts(rows, features):
        inputs = whole.inputs(some)
        targets, keys = (
            torch.from_numpy(part[some]).to(whole.device) for part in (features.targets.values, features.sample_keys)
        )
        plain.append(_right(whole, inputs, targets))
        for kind, place, images in versions(recipe, inputs["image"], keys):
            worse[kind, place].append(_right(whole, {**inputs, "image": images}, targets))
    kinds = recipe.kinds()
    found = {
        kind: np.stack([np.concatenate(worse[kind, place]) for place in range(len(strengths))])
        for kind, strengths in kinds.items()
    }
    return np.concatenate(plain), found


def _right(whole: EndToEndNetwork, inputs: Mapping[str, torch.Tensor], targets: torch.Tensor) -> Right:
    right = whole.task.right(whole.network(inputs), targets)
    if right is None:
        raise EvaluationError(f"robustness counts right answers, and the task {whole.task.name} has none")
    return right.cpu().numpy()


def _accuracy(right: Right, z: float) -> Interval:
    low, high = wilson(np.array([right.sum()]), np.array([len(right)]), z)
    return Interval(float(right.mean()), float(low[0]), float(high[0]))


def _drop(unchanged: Right, right: Right, z: float) -> Interval:
    lost, won, count = (
        np.array([number]) for number in ((unchanged & ~right).sum(), (right & ~unchanged).sum(), len(right))
    )
    low, high = paired_bounds(lost, won, count, z)
    return Interval(float((lost - won)[0] / count[0]), float(low[0]), float(high[0]))
