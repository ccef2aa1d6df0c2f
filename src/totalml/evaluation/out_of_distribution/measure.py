"""Fit on training, set the threshold on validation, and tell of the test split and of strangers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from totalml.errors import EvaluationError
from totalml.evaluation.arrays import Floats
from totalml.evaluation.interval import Interval
from totalml.evaluation.out_of_distribution.detector import Detector, fit
from totalml.evaluation.out_of_distribution.embed import embedded, embedded_changed
from totalml.evaluation.out_of_distribution.record import Histogram, OutOfDistribution
from totalml.evaluation.out_of_distribution.strangers import STRANGERS
from totalml.evaluation.pictures import evenly
from totalml.evaluation.shares import gap_bounds, wilson, z_of
from totalml.recipe import EvaluationRecipe, Recipe
from totalml.training.end_to_end import EndToEndNetwork, end_to_end_network

if TYPE_CHECKING:
    from totalml.data import Splits
    from totalml.features import FeatureSet
    from totalml.training import TrainedModel

BINS = 40
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """What was found, and with what."""

    record: OutOfDistribution
    detector: Detector

    def save(self, folder: Path) -> None:
        self.record.save(folder, self.detector)


@dataclass(frozen=True)
class Scored:
    """Scores of the validation split, of the test split, and of each kind of stranger.

    Args: right: (N,) whether the model is right on each test sample; None where the task knows no right and wrong.
    """

    validation: Floats
    test: Floats
    right: Flags | None
    strangers: Mapping[str, Floats]


def measure_out_of_distribution(recipe: Recipe, trained: TrainedModel, features: FeatureSet, splits: Splits) -> Found:
    """Raises: EvaluationError: there are no test samples; ModelError: the model cannot be read."""
    with end_to_end_network(recipe, trained, features) as whole:
        return detected(whole, recipe.evaluation, splits)


def detected(whole: EndToEndNetwork, evaluation: EvaluationRecipe, splits: Splits) -> Found:
    asked, features = evaluation.out_of_distribution, whole.features
    if asked is None or not len(splits.test):
        raise EvaluationError("this needs evaluation.out_of_distribution and test samples. Raise data.split.test.")
    train, few = evenly(splits.train, asked.fit_samples), evenly(splits.test, asked.strangers)
    targets = features.targets.values
    detector = fit(embedded(whole, train)[0], whole.task.alike(targets[train]))
    embeddings, outputs = embedded(whole, splits.test)
    right = whole.task.right(torch.from_numpy(outputs), torch.from_numpy(targets[splits.test]))
    scored = Scored(
        validation=detector.score(embedded(whole, splits.validation)[0]),
        test=detector.score(embeddings),
        right=None if right is None else right.numpy(),
        strangers={kind: detector.score(embedded_changed(whole, few, change)) for kind, change in STRANGERS.items()},
    )
    detector = detector.with_threshold(scored.validation, asked.false_alarms)
    ids = [features.ids[row] for row in splits.test.tolist()]
    return Found(record_of(detector, scored, ids, len(train), asked.false_alarms, evaluation.confidence), detector)


def record_of(
    detector: Detector, scored: Scored, ids: Sequence[str], fitted_on: int, stated: float, confidence: float
) -> OutOfDistribution:
    """Args:
    ids: of the test split; fitted_on: training samples; stated: share of false alarms.
    """
    flags, right = detector.flagged(scored.test), scored.right
    undefined = _too_few(scored.validation, stated) if detector.threshold is None else None
    count = _Counted(z_of(confidence), undefined)
    columns = {"id": pa.array(ids, pa.string()), "score": pa.array(scored.test), "flagged": pa.array(flags)}
    return OutOfDistribution(
        fitted_on=fitted_on,
        threshold=Interval(detector.threshold, note=count.undefined),
        stated=stated,
        flagged=count.share(flags),
        excess=count.gap(flags, detector.flagged(scored.validation)),
        accuracy=_accuracy(right, flags, count),
        strangers={kind: count.share(detector.flagged(each)) for kind, each in scored.strangers.items()},
        histogram=_histogram({"test": scored.test, **scored.strangers}, detector.threshold),
        confidence=confidence,
        scores=pa.table(columns),
    )


@dataclass(frozen=True)
class _Counted:
    """Shares and their gaps with intervals.

    Args: undefined: why none of them can be told; None if they can.
    """

    z: float
    undefined: str | None

    def share(self, hits: Flags, why_none: str = "there are none") -> Interval:
        if self.undefined or not len(hits):
            return Interval(None, note=self.undefined or why_none)
        low, high = wilson(np.array([hits.sum()]), np.array([len(hits)]), self.z)
        return Interval(float(hits.mean()), float(low[0]), float(high[0]))

    def gap(self, hits: Flags, others: Flags, why_none: str = "there are none") -> Interval:
        if self.undefined or not len(hits) or not len(others):
            return Interval(None, note=self.undefined or why_none)
        (true, count), (other_true, other_count) = (np.array([[one.sum()], [len(one)]]) for one in (hits, others))
        low, high = gap_bounds(true, count, other_true, other_count, self.z)
        return Interval(float(hits.mean() - others.mean()), float(low[0]), float(high[0]))


def _accuracy(right: Flags | None, flags: Flags, count: _Counted) -> dict[str, Interval]:
    if right is None:
        nothing = Interval(None, note="the task knows no right and wrong")
        return {"flagged": nothing, "rest": nothing, "gap": nothing}
    return {
        "flagged": count.share(right[flags], "no test sample is flagged"),
        "rest": count.share(right[~flags], "every test sample is flagged"),
        "gap": count.gap(right[flags], right[~flags], "all test samples are flagged, or none is"),
    }


def _too_few(validation: Floats, stated: float) -> str:
    return f"{len(validation)} validation samples are too few to set a threshold for {100 * stated:g} % false alarms"


def _histogram(scores: Mapping[str, Floats], threshold: float | None) -> Histogram:
    top = float(max(scores["test"].max(), 2 * (threshold or 0.0))) or 1.0
    edges = np.linspace(0, top, BINS + 1)
    counts = {name: tuple(np.histogram(each.clip(max=top), edges)[0].tolist()) for name, each in scores.items()}
    return Histogram(tuple(edges.tolist()), counts)
