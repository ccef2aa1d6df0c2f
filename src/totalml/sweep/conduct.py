"""Take jobs to their end: report what is finished already, launch the rest, write down what came of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import Interrupted, RecipeError
from totalml.sweep.finished import FinishedRuns, metric_of, run_facts, seconds_of
from totalml.sweep.launch import Launches
from totalml.sweep.record import Job, SweepRecord
from totalml.sweep.task import Ended, log_file

if TYPE_CHECKING:
    from totalml.recipe import Recipe


class Conductor:
    def __init__(self, record: SweepRecord, launches: Launches, finished: FinishedRuns) -> None:
        self._record, self._launches, self._finished = record, launches, finished

    def reuse(self, jobs: Sequence[Job], recipes: Sequence[Recipe | RecipeError]) -> list[Job]:
        """The jobs, with the result of those whose run is finished; all are written down.

        Args:
            recipes: of each job, or what is wrong with it.
        """
        for job, recipe in zip(jobs, recipes, strict=True):
            if not isinstance(recipe, RecipeError):
                self._launches.recipes[job.number] = recipe
        looked_at = [self._looked_up(job, recipe) for job, recipe in zip(jobs, recipes, strict=True)]
        self._record.update(looked_at)
        return looked_at

    def work(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs as they ended.

        Raises: Interrupted: Ctrl-C; what was done until then is written down.
        """
        done: list[Job] = []
        for batch in _batches(jobs, 1 if self._launches.serial else len(jobs)):
            try:
                ends = self._launches.run(batch)
            except KeyboardInterrupt:
                ends = self._launches.ends(batch)
                self._record.update(self._ended(job, ends[job.number]) for job in batch if job.number in ends)
                raise
            ended = [self._ended(job, ends[job.number]) for job in batch]
            self._record.update(ended)
            if any(job.status == "interrupted" for job in ended):
                raise Interrupted
            done += ended
        return done

    def _looked_up(self, job: Job, recipe: Recipe | RecipeError) -> Job:
        if isinstance(recipe, RecipeError):
            return replace(job, status="failed", error=str(recipe))
        attempt = self._finished.of(self._launches.as_job(recipe))
        return job if attempt is None else self._reached(replace(job, status="finished", reused=True), attempt.folder)

    def _ended(self, job: Job, end: Ended) -> Job:
        log = str(log_file(self._record.folder, job.number))
        job = replace(job, status=end.status, error=end.error, seconds=end.seconds, log=log)
        return self._reached(job, Path(end.folder)) if end.folder else job

    def _reached(self, job: Job, folder: Path) -> Job:
        facts = run_facts(folder)
        return replace(
            job,
            folder=str(folder),
            run_id=facts.get("run_id"),
            metric=metric_of(folder, self._record.metric),
            releasable=facts.get("releasable"),
            seconds=seconds_of(facts) or job.seconds,
        )


def _batches(jobs: Sequence[Job], size: int) -> Iterator[list[Job]]:
    rest = iter(jobs)
    while batch := list(islice(rest, size)):
        yield batch
