"""Intervals of the difference of two models' metrics, from resampling the test samples that both predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pyarrow

from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.classification.point import point_figures
from totalml.evaluation.classification.scores import Scores
from totalml.evaluation.classification.weighted import WeightedMetrics
from totalml.evaluation.interval import Interval
from totalml.evaluation.resampled import paired
from totalml.evaluation.together import taken


class Classified(Protocol):
    """What is needed of an evaluation of a classifier."""

    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def positive(self) -> str | None: ...
    @property
    def calibration(self) -> Sequence[object]: ...
    @property
    def predictions(self) -> pyarrow.Table: ...
    @property
    def count(self) -> int: ...
    @property
    def resamples(self) -> int: ...
    @property
    def confidence(self) -> float: ...
    def probabilities(self) -> Floats: ...
    def by_id(self) -> Ints: ...
    def drawn_together(self) -> Ints | None: ...


def paired_differences(ours: Classified, theirs: Classified) -> dict[str, Interval]:
    """Ours minus theirs, by the names of `Evaluation.figures`; of the metrics that predictions alone give.

    Args: both on the same samples with the same labels and classes; their order may differ.
    """
    mine, other = _scores(ours), _scores(theirs)
    return paired(
        (point_figures(mine), point_figures(other)),
        (WeightedMetrics(mine), WeightedMetrics(other)),
        ours.count,
        ours.resamples,
        ours.confidence,
        "per_class",
        ours.classes,
        taken(ours.drawn_together(), ours.by_id()),
    )


def _scores(evaluation: Classified) -> Scores:
    order = evaluation.by_id()
    gold = evaluation.predictions["gold"].to_pylist() if "gold" in evaluation.predictions.column_names else None
    return Scores(
        labels=_indices(evaluation, evaluation.predictions["label"].to_pylist())[order],
        probabilities=evaluation.probabilities()[order],
        positive=None if evaluation.positive is None else evaluation.classes.index(evaluation.positive),
        bins=len(evaluation.calibration),
        gold=None if gold is None else _indices(evaluation, gold)[order],
    )


def _indices(evaluation: Classified, names: list[str | None]) -> Ints:
    place = {label: k for k, label in enumerate(evaluation.classes)}
    return np.array([-1 if name is None else place[name] for name in names], np.int64)
