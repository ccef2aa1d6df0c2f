"""Folds of a rolling split are no rivals: what is swept besides is compared by its mean over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from totalml.sweep.record import Job, SweepRecord

FOLD = "data.split.fold"


@dataclass(frozen=True)
class Candidate:
    """Args:
    parameters: what is swept besides the fold.
    jobs: one for each fold, the earliest first.
    mean: of what jobs are ranked by; None where a fold has no result.
    """

    parameters: Mapping[str, str]
    jobs: Sequence[Job]
    mean: float | None

    @property
    def reached(self) -> list[float]:
        return [job.metric for job in self.jobs if job.metric is not None]


def backtest(record: SweepRecord) -> list[Candidate]:
    """The best first, those that lack a fold last; empty where the jobs do not differ by fold."""
    if FOLD not in record.differing():
        return []
    jobs = sorted(record.jobs.values(), key=lambda job: (int(job.parameters[FOLD]), job.number))
    folds = {job.parameters[FOLD] for job in jobs}
    by_rest: dict[tuple[tuple[str, str], ...], list[Job]] = {}
    for job in jobs:
        rest = tuple(sorted((key, value) for key, value in job.parameters.items() if key != FOLD))
        by_rest.setdefault(rest, []).append(job)
    found = [_candidate(dict(rest), some, len(folds)) for rest, some in by_rest.items()]
    sign = 1 if record.direction == "minimize" else -1
    return sorted(found, key=lambda each: (each.mean is None, sign * (each.mean or 0.0)))


def best_of(record: SweepRecord) -> Job | None:
    """The job to make again: of a backtest the latest fold of the best candidate, for it has learnt most."""
    candidates = backtest(record)
    if not candidates:
        return record.best()
    return None if candidates[0].mean is None else candidates[0].jobs[-1]


def _candidate(parameters: Mapping[str, str], jobs: Sequence[Job], folds: int) -> Candidate:
    reached = [job.metric for job in jobs if job.metric is not None]
    whole = len({job.parameters[FOLD] for job in jobs if job.metric is not None}) == folds
    return Candidate(parameters, jobs, sum(reached) / len(reached) if whole else None)
