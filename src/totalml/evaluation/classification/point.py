"""The metrics of the samples as they are, by torchmetrics."""

import numpy as np
import torch
from torch import Tensor
from torchmetrics.functional import classification as tm

from totalml.evaluation.arrays import Floats, mean_of_defined, ratio
from totalml.evaluation.classification.scores import Scores
from totalml.evaluation.resampled import Figures


def point_figures(scores: Scores) -> Figures:
    """The metrics with R = 1; NaN where torchmetrics would put 0 for something undefined."""
    labels, predicted = torch.from_numpy(scores.labels), torch.from_numpy(scores.predicted)
    per_class = _counted(scores, labels, predicted) | _ranked(scores, labels)
    overall = {
        "accuracy": tm.multiclass_stat_scores(predicted, labels, scores.classes, average="micro")[0].item()
        / len(labels),
        "balanced_accuracy": float(mean_of_defined(per_class["recall"])),
        **{name: _summary(scores, per_class[name]) for name in ("f1", "auroc", "average_precision")},
        "ece": _calibration_error(scores, labels),
    }
    return Figures(
        {name: np.array([value]) for name, value in (overall | _against_gold(scores)).items()},
        {name: values[None] for name, values in per_class.items()},
    )


def confusion_matrix(scores: Scores) -> tuple[tuple[int, ...], ...]:
    """Rows are true classes, columns predicted ones."""
    predicted, labels = torch.from_numpy(scores.predicted), torch.from_numpy(scores.labels)
    matrix = tm.multiclass_confusion_matrix(predicted, labels, scores.classes)
    return tuple(tuple(row) for row in matrix.tolist())


def _counted(scores: Scores, labels: Tensor, predicted: Tensor) -> dict[str, Floats]:
    # Counts are exact; torchmetrics' own ratios are float32, and 0.83749998 is no share of 80 samples.
    counts = tm.multiclass_stat_scores(predicted, labels, scores.classes, average="none").numpy()
    hits, false_calls, support = counts[:, 0], counts[:, 1], counts[:, 4]
    calls = hits + false_calls
    return {
        "precision": ratio(hits, calls),
        "recall": ratio(hits, support),
        "f1": ratio(2 * hits, calls + support),
    }


def _ranked(scores: Scores, labels: Tensor) -> dict[str, Floats]:
    """One class against the rest; undefined unless both sides have samples."""
    values = np.full((2, scores.classes), np.nan)
    probabilities = torch.from_numpy(scores.probabilities)
    for k in np.unique(scores.labels):
        target = (labels == k).long()
        if not target.all():
            # Summed in float32, a perfect ranking can come out a trifle above 1.
            values[0, k] = min(1.0, tm.binary_auroc(probabilities[:, k], target).item())
            values[1, k] = tm.binary_average_precision(probabilities[:, k], target).item()
    return {"auroc": values[0], "average_precision": values[1]}


def _summary(scores: Scores, values: Floats) -> float:
    return float(mean_of_defined(values) if scores.positive is None else values[scores.positive])


def _calibration_error(scores: Scores, labels: Tensor) -> float:
    # torchmetrics gives a confidence of exactly 1 a bin of its own; Guo et al. 2017 count it to the last.
    below_one = float(np.nextafter(np.float32(1), np.float32(0)))
    probabilities = torch.from_numpy(scores.probabilities.clip(max=below_one))
    return tm.multiclass_calibration_error(probabilities, labels, scores.classes, n_bins=scores.bins).item()


def _against_gold(scores: Scores) -> dict[str, float]:
    if scores.gold is None:
        return {}
    known = scores.gold >= 0
    if not known.any():
        return {"accuracy_against_gold": np.nan, "best_possible_accuracy": np.nan}
    return {
        "accuracy_against_gold": float((scores.gold == scores.predicted)[known].mean()),
        "best_possible_accuracy": float((scores.gold == scores.labels)[known].mean()),
    }
