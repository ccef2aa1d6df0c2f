"""Intervals of the difference of two models' metrics, from resampling the test samples that both predicted."""

import numpy as np

from totalml.evaluation.arrays import Floats, Ints
from totalml.evaluation.bootstrap import percentiles, resample_counts
from totalml.evaluation.classification.point import point_figures
from totalml.evaluation.classification.record import ClassificationEvaluation
from totalml.evaluation.classification.scores import Figures, Scores
from totalml.evaluation.classification.weighted import WeightedMetrics
from totalml.evaluation.interval import Interval

SEED = 0  # the same two runs give the same interval


def paired_differences(ours: ClassificationEvaluation, theirs: ClassificationEvaluation) -> dict[str, Interval]:
    """Ours minus theirs, by the names of `Evaluation.figures`; of the metrics that predictions alone give.

    Args: both on the same samples with the same labels and classes; their order may differ.
    """
    both = [_scores(each) for each in (ours, theirs)]
    found = _difference(*(point_figures(scores) for scores in both))
    if ours.resamples:
        metrics = [WeightedMetrics(scores) for scores in both]
        parts = [
            _difference(*(metric.of(counts) for metric in metrics))
            for counts in resample_counts(ours.count, ours.resamples, SEED)
        ]
        drawn = {name: np.concatenate([part[name] for part in parts]) for name in found}
    else:
        drawn = {name: np.full((1, *values.shape[1:]), np.nan) for name, values in found.items()}
    named: dict[str, Interval] = {}
    for name, values in found.items():
        low, high = percentiles(drawn[name], ours.confidence)
        if values.ndim == 1:
            named[name] = _interval(values[0], low[0], high[0])
        else:
            for k, label in enumerate(ours.classes):
                named[f"per_class.{label}.{name.removeprefix('per_class.')}"] = _interval(
                    values[0, k], low[0, k], high[0, k]
                )
    return named


def _difference(ours: Figures, theirs: Figures) -> dict[str, Floats]:
    """(R,) of each metric, (R, K) of each metric of the classes."""
    overall = {name: values - theirs.overall[name] for name, values in ours.overall.items() if name in theirs.overall}
    classes = {f"per_class.{name}": values - theirs.per_class[name] for name, values in ours.per_class.items()}
    return overall | classes


def _scores(evaluation: ClassificationEvaluation) -> Scores:
    """Rows in the order of their ids, so that those of two runs stand beside each other."""
    order = np.argsort(np.array(evaluation.predictions["id"].to_pylist(), object), kind="stable")
    gold = evaluation.predictions["gold"].to_pylist() if "gold" in evaluation.predictions.column_names else None
    return Scores(
        labels=_indices(evaluation, evaluation.predictions["label"].to_pylist())[order],
        probabilities=evaluation.probabilities()[order],
        positive=None if evaluation.positive is None else evaluation.classes.index(evaluation.positive),
        bins=len(evaluation.calibration),
        gold=None if gold is None else _indices(evaluation, gold)[order],
    )


def _indices(evaluation: ClassificationEvaluation, names: list[str | None]) -> Ints:
    place = {label: k for k, label in enumerate(evaluation.classes)}
    return np.array([-1 if name is None else place[name] for name in names], np.int64)


def _interval(value: float, low: float, high: float) -> Interval:
    return Interval(_defined(value), _defined(low), _defined(high))


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
