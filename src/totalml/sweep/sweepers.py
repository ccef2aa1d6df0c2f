"""Hydra's sweeper plugins of ours, chosen with `hydra/sweeper=grid` or `optuna`."""

from __future__ import annotations

import os
import sys
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, cast, get_args

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from omegaconf import DictConfig, open_dict

from totalml.errors import Interrupted, RecipeError, SweepError
from totalml.fingerprint import cores
from totalml.kinds import Direction
from totalml.recipe.where import not_ranking
from totalml.store import locked
from totalml.sweep.closing import close, failures
from totalml.sweep.conduct import Conductor
from totalml.sweep.finished import FinishedRuns
from totalml.sweep.launch import Launches, workers_of
from totalml.sweep.prepare import Composer, alone, hashes, stated, sweep_folder
from totalml.sweep.record import Job, SweepRecord
from totalml.sweep.search import Pruner, Search
from totalml.sweep.space import Dimension, corners, dimension
from totalml.sweep.task import SweepTask

if TYPE_CHECKING:
    from hydra.types import HydraContext, TaskFunction

    from totalml.kinds import Task
    from totalml.recipe import Recipe

BASIC = "BasicLauncher"
MAX_JOBS = 100_000


class TotalmlSweeper(Sweeper):
    """What both sweepers share. The arguments of the constructors are the keys of conf/hydra/sweeper/*.yaml."""

    sampler = ""

    def __init__(self, metric: str, direction: Direction | None) -> None:
        self.metric, self._asked = metric, direction

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        if not isinstance(task_function, SweepTask):
            raise RecipeError("command line: several runs are started with -m")
        self.task, self._settings, self._context = task_function, config, hydra_context
        self.refuse_odd_settings()
        self.composer = Composer(task_function.project)
        self.finished = FinishedRuns()
        if (workers := workers_of(config)) > 1:  # joblib shares out the cores
            self.task.threads, self.task.conductor = max(1, cores() // workers), os.getpid()

    def refuse_odd_settings(self) -> None:
        """Raises: RecipeError: a value of conf/hydra/sweeper that came from the command line makes no sense."""
        known = (None, *get_args(Direction))
        _refuse_unless(self._asked in known, "direction", "minimize or maximize", self._asked)

    def sweep(self, arguments: list[str]) -> None:
        parser = OverridesParser.create(config_loader=self._context.config_loader)
        overrides = parser.parse_overrides(arguments)
        try:
            with ExitStack() as self.held:
                self.search(overrides)
        except ValueError as error:  # Hydra's own are mistakes on the command line; this one nobody foresaw
            raise RuntimeError("the sweep came to an unforeseen end") from error

    @abstractmethod
    def search(self, overrides: list[Override]) -> None:
        """Run all that the overrides ask for."""

    def conduct(self, recipes: Sequence[Recipe], swept: Any, total: int) -> tuple[SweepRecord, Conductor]:
        """The record of the sweep and what takes its jobs to their end; its folder is ours until the sweep ends."""
        self.direction = self._direction(recipes[0].task)
        folder, name, sweep_id = sweep_folder(recipes, [self.sampler, self.metric, swept])
        self.held.enter_context(
            locked(folder / "lock")
        )  # the same command given twice: one works, then the other looks
        record = SweepRecord(folder, name, sweep_id, self.sampler, self.metric, self.direction)
        with open_dict(self._settings):
            self._settings.hydra.sweep.dir = str(folder)
        launcher = Plugins.instance().instantiate_launcher(self._context, self.task, self._settings)
        self.serial = type(launcher).__name__ == BASIC
        self.task.folder, self.task.live, self.task.total = folder, self.serial, total
        return record, Conductor(record, Launches(launcher, self.task, self.serial), self.finished)

    def _direction(self, task: Task) -> Direction:
        if mistake := not_ranking(self.metric, task):
            raise RecipeError(f"command line: {mistake}")
        return self._asked or task.direction(self.metric) or "minimize"

    def conclude(self, record: SweepRecord, interrupted: bool) -> None:
        """Table and page.

        Raises: Interrupted, or SweepError that names the jobs that failed.
        """
        close(record)
        if interrupted:
            done = sum(job.status in ("finished", "pruned") for job in record.jobs.values())
            raise Interrupted(f"interrupted; {done} of {self.task.total} jobs are done; the same command goes on")
        if failed := record.failed():
            raise SweepError(failures(failed, self.task.total))


class GridSweeper(TotalmlSweeper):
    """Every combination."""

    sampler = "grid"

    def search(self, overrides: list[Override]) -> None:
        for override in overrides:
            if override.is_sweep_override() and not override.is_discrete_sweep():
                raise RecipeError(
                    f"command line: {override.input_line!r} is an interval, of which a grid cannot take every value; "
                    "choose with hydra/sweeper=optuna, or give values"
                )
        swept = [override.get_key_element() for override in overrides if override.is_sweep_override()]
        _refuse_too_many(overrides)
        (points,) = BasicSweeper.split_arguments(overrides, None)
        if not points:
            raise RecipeError("command line: nothing to run; no option matches the glob or the list")
        recipes = self.composer.recipes(points)
        jobs = [
            Job(number, alone(point, recipe, self.task.threads), {key.lstrip("+"): _value(point, key) for key in swept})
            for number, (point, recipe) in enumerate(zip(points, recipes, strict=True), start=1)
        ]
        record, conductor = self.conduct(recipes, hashes(recipes), len(jobs))
        interrupted = False
        try:
            looked_at = conductor.reuse(jobs, recipes)
            waiting = [job for job in looked_at if job.status == "waiting"]
            _say(record, len(jobs), len(jobs) - len(waiting))
            conductor.work(waiting)
        except (Interrupted, KeyboardInterrupt):
            interrupted = True
        self.conclude(record, interrupted)


class OptunaSweeper(TotalmlSweeper):
    """Each next job from what the ones before it reached."""

    sampler = "optuna"

    def __init__(
        self, metric: str, direction: Direction | None, trials: int, prune: bool, parallel: int | None
    ) -> None:
        super().__init__(metric, direction)
        self.trials, self.prune, self.parallel = trials, prune, parallel

    def refuse_odd_settings(self) -> None:
        super().refuse_odd_settings()
        _refuse_unless(_is_count(self.trials), "trials", "a number of jobs from 1", self.trials)
        fits = self.parallel is None or _is_count(self.parallel)
        _refuse_unless(fits, "parallel", "a number of jobs from 1, or null", self.parallel)
        _refuse_unless(isinstance(self.prune, bool), "prune", "true or false", self.prune)

    def search(self, overrides: list[Override]) -> None:
        fixed = [override.input_line or "" for override in overrides if not override.is_sweep_override()]
        dimensions = [_dimension(override) for override in overrides if override.is_sweep_override()]
        if not dimensions:
            raise RecipeError("command line: nothing to search; give a key several values or an interval")
        recipes = self.composer.recipes([[*fixed, *_written(point)] for point in corners(dimensions)])
        first = recipes[0]
        fixed += stated(first, self.task.threads)
        swept = [list(map(repr, dimensions)), hashes(recipes), self.finished.made_with(self.task.as_job(first))]
        record, conductor = self.conduct(recipes, swept, self.trials)
        search = Search(record.folder, dimensions, self.direction, first.seed)
        record.update(search.finished())
        _say(record, self.trials, len(record.jobs))
        interrupted = False
        try:
            while (left := self.trials - len(record.jobs)) > 0:
                self._next(search, min(left, self._at_once()), fixed, record, conductor)
        except (Interrupted, KeyboardInterrupt):
            interrupted = True
        self.conclude(record, interrupted)

    def _next(self, search: Search, count: int, fixed: list[str], record: SweepRecord, conductor: Conductor) -> None:
        jobs = [
            Job(number, (*fixed, *_written(point)), {key.lstrip("+"): value for key, value in point.items()})
            for number, point in search.ask(count).items()
        ]
        looked_at = conductor.reuse(jobs, [self.composer.recipe_or_mistakes(job.overrides) for job in jobs])
        if self.prune and self.metric.startswith("validation_"):
            self.task.listeners = {job.number: Pruner(record.folder, job.number, self.metric) for job in jobs}
        waiting = [job for job in looked_at if job.status == "waiting"]
        ended = [*(job for job in looked_at if job not in waiting), *conductor.work(waiting)]
        measured = [job if _is_measured(job) else _without(job, self.metric) for job in ended]
        record.update(measured)
        for job in measured:
            search.tell(job)

    def _at_once(self) -> int:
        if self.serial or self.parallel:
            return self.parallel or 1
        return workers_of(self._settings)


def register() -> None:
    """Make the sweepers known to Hydra, which takes plugins only by names below `hydra_plugins`."""
    plugins = Plugins.instance()
    for sweeper in (GridSweeper, OptunaSweeper):
        plugins.class_name_to_class[f"hydra_plugins.totalml.{sweeper.__name__}"] = cast(Any, sweeper)


def _refuse_too_many(overrides: Sequence[Override]) -> None:
    """Raises: RecipeError: a grid would have more points than anybody runs, or than the memory holds."""
    jobs = 1
    for override in overrides:
        if override.is_sweep_override():
            jobs *= sum(1 for _ in islice(override.sweep_iterator(), MAX_JOBS + 1))
        if jobs > MAX_JOBS:
            raise RecipeError(f"command line: a grid of more than {MAX_JOBS} jobs; choose with hydra/sweeper=optuna")


def _dimension(override: Override) -> Dimension:
    """Raises: RecipeError: a range that holds nothing, or a logarithmic one that reaches 0."""
    try:
        found = dimension(override)
        found.distribution()  # which refuses what makes no sense
    except ValueError as error:
        raise RecipeError(f"command line: {override.input_line!r}: {error}") from error
    return found


def _refuse_unless(fits: bool, key: str, wanted: str, given: object) -> None:
    if not fits:
        raise RecipeError(f"command line: hydra.sweeper.{key} should be {wanted}, got {given!r}")


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0


def _is_measured(job: Job) -> bool:
    return job.status != "finished" or job.metric is not None


def _without(job: Job, metric: str) -> Job:
    return replace(job, status="failed", error=f"its run came to no {metric}, so there is nothing to search by")


def _written(point: dict[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in point.items()]


def _value(point: Sequence[str], key: str) -> str:
    return next(override.partition("=")[2] for override in point if override.partition("=")[0] == key)


def _say(record: SweepRecord, total: int, done: int) -> None:
    print(f"sweep {record.name} {record.sweep_id}: {total} jobs, {done} finished earlier", file=sys.stderr, flush=True)
