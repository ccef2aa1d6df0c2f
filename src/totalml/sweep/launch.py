"""Run jobs through one of Hydra's launchers, and lose none to a process that dies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from totalml.errors import RecipeError, SweepError
from totalml.sweep.job_format import shown
from totalml.sweep.task import Ended, SweepTask, end_file, log_file, read_end

if TYPE_CHECKING:
    from hydra.plugins.launcher import Launcher
    from omegaconf import DictConfig

    from totalml.recipe import Recipe
    from totalml.sweep.record import Job


class Launches:
    """Args:
    task: what the launcher calls; told here which jobs it is called for.
    serial: jobs run one by one in this process, so nothing needs to be composed again for another one, and there
        is something to write down after each.
    """

    def __init__(self, launcher: Launcher, task: SweepTask, serial: bool) -> None:
        self._launcher, self._task = launcher, task
        self.serial = serial
        self.recipes: dict[int, Recipe] = {}
        self._submits = "submitit" in type(launcher).__module__

    def as_job(self, recipe: Recipe) -> Recipe:
        """What will be run for a recipe."""
        return self._task.as_job(recipe)

    def run(self, jobs: Sequence[Job]) -> dict[int, Ended]:
        """Job number -> how it ended.

        Raises: SweepError: the launcher starts none of them.
        """
        for job in jobs:
            end_file(self._task.folder, job.number).unlink(missing_ok=True)
            log_file(self._task.folder, job.number).unlink(missing_ok=True)
        return self._run(jobs)

    def _run(self, jobs: Sequence[Job]) -> dict[int, Ended]:
        error = self._launch(jobs)
        ended = self.ends(jobs)
        left = [job for job in jobs if job.number not in ended]
        # Workers share their end: each job that was under way is tried again alone, which shows whose fault it was;
        # those that had not begun go on together. A job of submitit has a process of its own.
        begun = [job for job in left if log_file(self._task.folder, job.number).exists()]
        if left and not begun:
            raise SweepError(f"the launcher started none of {len(left)} jobs: {error}")
        for job in begun:
            shared = len(jobs) > 1 and not self._submits
            ended |= self._alone(job, error) if shared else {job.number: _killed(error)}
        rest = [job for job in left if job not in begun]
        return ended | (self._run(rest) if rest else {})

    def _alone(self, job: Job, error: Exception | None) -> dict[int, Ended]:
        error = self._launch([job]) or error
        return self.ends([job]) or {job.number: _killed(error)}

    def _launch(self, jobs: Sequence[Job]) -> Exception | None:
        if self.serial:
            for job in jobs:
                self._task.go(
                    job.number, shown(job.parameters), job.overrides, partial(self.recipes.__getitem__, job.number)
                )
            return None
        self._task.jobs = tuple((job.number, shown(job.parameters)) for job in jobs)
        try:
            with _waiting_for_all() if self._submits else nullcontext():
                self._launcher.launch([list(job.overrides) for job in jobs], initial_job_idx=0)
        except Exception as error:  # every launcher has errors of its own
            return error
        return None

    def ends(self, jobs: Sequence[Job]) -> dict[int, Ended]:
        """How those jobs ended that have."""
        ends = {job.number: read_end(self._task.folder, job.number) for job in jobs}
        return {number: end for number, end in ends.items() if end is not None}


def workers_of(settings: DictConfig) -> int:
    """How many jobs a launcher of this machine runs at once; 1 for any other.

    Raises: RecipeError: that is no number.
    """
    workers = settings.hydra.launcher.get("n_jobs", 1)
    if type(workers) is not int or workers == 0:
        raise RecipeError(
            f"command line: hydra.launcher.n_jobs should be a number of processes, or -1 for all cores, got {workers!r}"
        )
    if workers > 0:
        return workers
    import joblib

    return int(joblib.effective_n_jobs(workers))


def _killed(error: Exception | None) -> Ended:
    reason = f" ({type(error).__name__})" if error else ""
    return Ended("failed", 0.0, error=f"its process ended without a word: killed, or out of memory{reason}")


@contextmanager
def _waiting_for_all() -> Iterator[None]:
    """The submitit launcher stops at the first job that was killed, while others still run: wait for them too."""
    import submitit

    executor: Any = submitit.AutoExecutor
    plain = executor.map_array

    def map_array(self: Any, function: Any, *arguments: Any) -> list[Any]:
        jobs = plain(self, function, *arguments)
        for job in jobs:
            job.wait()
        return jobs

    executor.map_array = map_array
    try:
        yield
    finally:
        executor.map_array = plain
