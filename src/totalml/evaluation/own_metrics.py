"""Metrics that a recipe brings along: any `torchmetrics.Metric`, with intervals like the others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from totalml.errors import EvaluationError
from totalml.evaluation.bootstrap import percentiles, resample_counts
from totalml.evaluation.interval import Interval
from totalml.evaluation.predicted import Predicted
from totalml.evaluation.record import Evaluation

if TYPE_CHECKING:
    import torch

    from totalml.component import ForeignComponent

MOST_RESAMPLES = 200  # each is a call of the metric on as many samples as there are


def with_own_metrics(
    evaluation: Evaluation, metrics: Mapping[str, ForeignComponent], predicted: Predicted
) -> Evaluation:
    """Add what each metric makes of the answers, (N, A), and the truth; of one number a sample they are (N,).

    Raises: EvaluationError: a metric has a name that is taken, cannot be made, fails, or gives no single number.
    """
    if not metrics:
        return evaluation
    if taken := [name for name in metrics if name in evaluation.metrics]:
        raise EvaluationError(f"evaluation.metrics.{taken[0]} is a metric of the task already; give yours another name")
    found = {name: _measured(name, metric, evaluation, predicted) for name, metric in metrics.items()}
    return replace(evaluation, metrics={**evaluation.metrics, **found})


def _measured(name: str, component: ForeignComponent, evaluation: Evaluation, predicted: Predicted) -> Interval:
    import torch

    answers, truth = (torch.from_numpy(np.ascontiguousarray(each)) for each in (predicted.answers, predicted.truth))
    answers, truth = (each[:, 0] if each.ndim == 2 and each.shape[1] == 1 else each for each in (answers, truth))
    if evaluation.headline_is_share:  # of right answers, so the truth is labels; metrics take them as whole numbers
        truth = truth.long()
    value = _value(name, component, answers, truth)
    resamples = min(evaluation.resamples, MOST_RESAMPLES)
    if not resamples or math.isnan(value):
        return Interval(None, note="not defined for these samples") if math.isnan(value) else Interval(value)
    drawn = [
        _value(name, component, answers[rows], truth[rows])
        for counts in resample_counts(evaluation.count, resamples, predicted.seed, evaluation.drawn_together())
        for rows in (torch.from_numpy(np.repeat(np.arange(evaluation.count), row)) for row in counts)
    ]
    low, high = (float(end[0]) for end in percentiles(np.array(drawn), evaluation.confidence))
    return Interval(value, None if math.isnan(low) else low, None if math.isnan(high) else high)


def _value(name: str, component: ForeignComponent, answers: torch.Tensor, truth: torch.Tensor) -> float:
    import torch

    try:
        metric = component.create()
        metric.update(answers, truth)
        value = torch.as_tensor(metric.compute())
    except Exception as error:  # code that is not ours fails in any way
        raise EvaluationError(
            f"evaluation.metrics.{name}: {component.target} fails on answers of shape {tuple(answers.shape)} and truth "
            f"of shape {tuple(truth.shape)}: {type(error).__name__}: {error}"
        ) from error
    if value.numel() != 1:
        raise EvaluationError(f"evaluation.metrics.{name}: expected one number, got a tensor of {tuple(value.shape)}")
    return float(value) if torch.isfinite(value) else math.nan  # no file of figures holds an infinite one
