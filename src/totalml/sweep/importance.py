"""How much each parameter decides, from the jobs that a sweep happened to run.

Of ranks rather than values, because one job that went astray would otherwise hide all that the others say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from totalml.sweep.record import Job
from totalml.sweep.scales import numbers

FEWEST_JOBS = 4


@dataclass(frozen=True)
class Importance:
    """Args:
    share: of the variance of the jobs' ranks that the parameter explains alone, in [0, 1], corrected for chance.
    """

    key: str
    share: float


def importances(jobs: Sequence[Job], keys: Sequence[str]) -> list[Importance]:
    """Largest first; empty with fewer than `FEWEST_JOBS` jobs that have a metric."""
    measured = [job for job in jobs if job.metric is not None]
    if len(measured) < FEWEST_JOBS:
        return []
    ranks = _ranks([job.metric or 0.0 for job in measured])
    found = [Importance(key, _explained([job.parameters.get(key, "") for job in measured], ranks)) for key in keys]
    return sorted(found, key=lambda each: -each.share)


def _explained(values: Sequence[str], ranks: NDArray[np.float64]) -> float:
    """Adjusted R2 of a least-squares fit: a parabola over the ranks of numbers, a mean for each choice."""
    count, spread = len(ranks), float(((ranks - ranks.mean()) ** 2).sum())
    columns = _columns(values)
    free = count - columns.shape[1]
    if spread == 0 or free <= 0:
        return 0.0
    fit, *_ = np.linalg.lstsq(columns, ranks, rcond=None)
    left = float(((ranks - columns @ fit) ** 2).sum())
    return float(np.clip(1 - (left / free) / (spread / (count - 1)), 0, 1))


def _columns(values: Sequence[str]) -> NDArray[np.float64]:
    """(N, P) of a linear model, its constant included."""
    given = numbers(values)
    if given is not None and len(set(given)) > 2:
        ranks = _ranks(given)
        ranks = ranks / ranks.max()
        return np.stack([np.ones_like(ranks), ranks, ranks**2], axis=1)
    kinds = sorted(set(values))
    return np.array([[1.0 if value == kind else 0.0 for kind in kinds] for value in values])


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """From 1; equal values share the mean of theirs."""
    array = np.asarray(values, np.float64)
    _, place, counts = np.unique(array, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - counts + 1 + ends) / 2)[place]
