"""Why a metric is undefined, in words for the report."""

from collections.abc import Sequence

import numpy as np

from totalml.evaluation.classification.scores import Scores
from totalml.values.shown import some_of

NAMED_AT_MOST = 5


def class_note(metric: str, k: int, label: str, scores: Scores) -> str | None:
    """The reason why `metric` of class k is None; None if it is defined."""
    is_label, is_call = scores.labels == k, scores.predicted == k
    if metric == "precision":
        return None if is_call.any() else f"{label!r} was never predicted"
    if metric == "f1":
        return None if (is_call | is_label).any() else f"{label!r} neither occurs in the test split nor was predicted"
    if not is_label.any():
        return f"the test split has no sample of class {label!r}"
    if metric != "recall" and is_label.all():
        return f"every sample of the test split is of class {label!r}"
    return None


def overall_note(metric: str, scores: Scores, classes: Sequence[str]) -> str | None:
    """The reason why `metric` is None, or the classes that its mean leaves out."""
    if metric in ("accuracy_against_gold", "best_possible_accuracy"):
        return _gold_note(scores)
    if metric in ("accuracy", "ece"):
        return None
    if scores.positive is not None and metric != "balanced_accuracy":
        return class_note(metric, scores.positive, classes[scores.positive], scores)
    name = "recall" if metric == "balanced_accuracy" else metric
    left_out = [label for k, label in enumerate(classes) if class_note(name, k, label, scores) is not None]
    return f"mean without {_listed(left_out)}, where it is undefined" if left_out else None


def _gold_note(scores: Scores) -> str | None:
    unknown = 0 if scores.gold is None else int(np.sum(scores.gold < 0))
    return some_of(unknown, len(scores.labels), "samples", "have no gold label") if unknown else None


def _listed(labels: Sequence[str]) -> str:
    shown = ", ".join(repr(label) for label in labels[:NAMED_AT_MOST])
    more = len(labels) - NAMED_AT_MOST
    return f"{shown} and {more} more" if more > 0 else shown
