"""Fit on training, set the threshold on validation, and tell of the test split and of strangers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from totalml.errors import EvaluationError
from totalml.evaluation.interval import Interval
from totalml.evaluation.out_of_distribution.detector import Detector, fit
from totalml.evaluation.out_of_distribution.embed import embedded, embedded_changed
from totalml.evaluation.out_of_distribution.record import Histogram, OutOfDistribution
from totalml.evaluation.out_of_distribution.strangers import STRANGERS
from totalml.evaluation.pictures import evenly
from totalml.evaluation.scores import Floats
from totalml.evaluation.shares import gap_bounds, wilson, z_of
from totalml.recipe import Recipe
from totalml.training.whole import whole_network

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


def measure_out_of_distribution(recipe: Recipe, trained: TrainedModel, features: FeatureSet, splits: Splits) -> Found:
    """Raises: EvaluationError: there are no test samples; ModelError: the model cannot be read."""
    asked = recipe.evaluation.out_of_distribution
    if asked is None or not len(splits.test):
        raise EvaluationError("this needs evaluation.out_of_distribution and test samples. Raise data.split.test.")
    train, few = evenly(splits.train, asked.fit_samples), evenly(splits.test, asked.strangers)
    with whole_network(recipe, trained, features) as whole:
        detector = fit(embedded(whole, train)[0], features.labels[train])
        validation = detector.score(embedded(whole, splits.validation)[0])
        embeddings, said = embedded(whole, splits.test)
        strangers = {name: detector.score(embedded_changed(whole, few, change)) for name, change in STRANGERS.items()}
    detector = detector.with_threshold(validation, asked.false_alarms)
    scores, right = detector.score(embeddings), said == features.labels[splits.test]
    ids = [features.ids[row] for row in splits.test.tolist()]
    told = _Told(detector, asked.false_alarms, recipe.evaluation.confidence, len(validation))
    return Found(told.record(ids, scores, right, validation, strangers, len(train)), detector)


@dataclass(frozen=True)
class _Told:
    """Figures with their intervals, or why there are none."""

    detector: Detector
    stated: float
    confidence: float
    validation: int

    @property
    def note(self) -> str | None:
        if self.detector.threshold is not None:
            return None
        return f"{self.validation} validation samples are too few to set a threshold for {100 * self.stated:g} % alarms"

    def record(
        self,
        ids: list[str],
        scores: Floats,
        right: Flags,
        validation: Floats,
        strangers: Mapping[str, Floats],
        fitted_on: int,
    ) -> OutOfDistribution:
        flags = self.detector.flagged(scores)
        columns = {"id": pa.array(ids, pa.string()), "score": pa.array(scores), "flagged": pa.array(flags)}
        return OutOfDistribution(
            fitted_on=fitted_on,
            threshold=Interval(self.detector.threshold, note=self.note),
            stated=self.stated,
            flagged=self._share(flags),
            excess=self._gap(flags, self.detector.flagged(validation)),
            accuracy={
                "flagged": self._share(right[flags], "no test sample is flagged"),
                "rest": self._share(right[~flags], "every test sample is flagged"),
                "gap": self._gap(right[flags], right[~flags], "all are flagged, or none is"),
            },
            strangers={name: self._share(self.detector.flagged(each)) for name, each in strangers.items()},
            histogram=_histogram({"test": scores, **strangers}, self.detector.threshold),
            confidence=self.confidence,
            scores=pa.table(columns),
        )

    def _share(self, hits: Flags, why_none: str = "there are none") -> Interval:
        if self.note or not len(hits):
            return Interval(None, note=self.note or why_none)
        low, high = wilson(np.array([hits.sum()]), np.array([len(hits)]), z_of(self.confidence))
        return Interval(float(hits.mean()), float(low[0]), float(high[0]))

    def _gap(self, hits: Flags, others: Flags, why_none: str = "there are none") -> Interval:
        if self.note or not len(hits) or not len(others):
            return Interval(None, note=self.note or why_none)
        (true, count), (other_true, other_count) = (np.array([[one.sum()], [len(one)]]) for one in (hits, others))
        low, high = gap_bounds(true, count, other_true, other_count, z_of(self.confidence))
        return Interval(float(hits.mean() - others.mean()), float(low[0]), float(high[0]))


def _histogram(scores: Mapping[str, Floats], threshold: float | None) -> Histogram:
    top = float(max(scores["test"].max(), 2 * (threshold or 0.0))) or 1.0
    edges = np.linspace(0, top, BINS + 1)
    counts = {name: np.histogram(each.clip(max=top), edges)[0].tolist() for name, each in scores.items()}
    return Histogram(tuple(edges.tolist()), {name: tuple(each) for name, each in counts.items()})
