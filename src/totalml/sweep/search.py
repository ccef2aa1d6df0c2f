"""Optuna's part of a sweep: what to try next, from what was reached so far, kept in a file of the sweep's folder.

The sampler is made anew for every question, seeded by how many answers it has: so a sweep that was killed goes on
with the same jobs that it would have run undisturbed.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.kinds import Direction
from totalml.sweep.record import Job
from totalml.sweep.space import Dimension
from totalml.training.listen import Pruned

if TYPE_CHECKING:
    import optuna

    from totalml.training.history import Epoch

JOURNAL = "optuna.journal"
STUDY = "sweep"
# Drawn at random before optuna's model of the space is asked; its own default of 10 leaves a small sweep no model.
RANDOM_FIRST = 5
JOBS_BEFORE_PRUNING = 4


class Search:
    """One study in the folder of a sweep."""

    def __init__(self, folder: Path, dimensions: Sequence[Dimension], direction: Direction, seed: int) -> None:
        import optuna

        folder.mkdir(parents=True, exist_ok=True)
        self._dimensions, self._seed = dimensions, seed
        self._distributions = {each.key: each.distribution() for each in dimensions}
        with _quiet():
            self._study = optuna.create_study(
                storage=_storage(folder), study_name=STUDY, direction=direction, load_if_exists=True
            )
            self._answered = len(self.finished())
            self._again()

    def finished(self) -> list[Job]:
        """Jobs that an earlier call came to the end of."""
        import optuna

        over = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
        return [Job(**trial.user_attrs["job"]) for trial in self._study.get_trials(deepcopy=False, states=over)]

    def ask(self, count: int) -> dict[int, dict[str, str]]:
        """Job number -> parameters to try, `count` of them at once."""
        import optuna

        asked = {}
        for _ in range(count):
            with _quiet():
                self._study.sampler = optuna.samplers.TPESampler(
                    seed=self._seed + self._answered, n_startup_trials=RANDOM_FIRST, constant_liar=count > 1
                )
                trial = self._study.ask(self._distributions)
            self._answered += 1
            asked[trial.number + 1] = {each.key: each.written(trial.params[each.key]) for each in self._dimensions}
        return asked

    def tell(self, job: Job) -> None:
        """What came of a job; one without a metric counts as failed."""
        import optuna

        states = optuna.trial.TrialState
        trial = optuna.trial.Trial(self._study, self._study.get_trials(deepcopy=False)[job.number - 1]._trial_id)
        trial.set_user_attr("job", asdict(job))
        with _quiet():
            if job.status == "finished" and job.metric is not None:
                self._study.tell(trial, job.metric)
            else:
                self._study.tell(trial, state=states.PRUNED if job.status == "pruned" else states.FAIL)

    def _again(self) -> None:
        """What was under way when an earlier call was killed, and what failed then, is tried first."""
        import optuna

        states = optuna.trial.TrialState
        trials = self._study.get_trials(deepcopy=False)
        for trial in trials:
            if trial.state == states.RUNNING:
                self._study.tell(trial.number, state=states.FAIL)
        settled = [_parameters(trial) for trial in trials if trial.state not in (states.RUNNING, states.FAIL)]
        for trial in trials:
            if trial.state in (states.RUNNING, states.FAIL) and trial.params and trial.params not in settled:
                settled.append(trial.params)
                self._study.enqueue_trial(trial.params)


@dataclass(frozen=True)
class Pruner:
    """Tells optuna each epoch of one job, from whatever process it runs in.

    Args:
        metric: `validation_loss` or `validation_<score of the task>`.
    """

    folder: Path
    number: int
    metric: str

    def __call__(self, epoch: Epoch, epochs: int) -> None:
        """Raises: Pruned: half of the other jobs were better at this epoch, and half of the epochs are over."""
        import optuna

        with _quiet():
            # The median asks for no more than the others' values, so a study opened for each epoch is cheap enough.
            study = optuna.load_study(
                storage=_storage(self.folder),
                study_name=STUDY,
                pruner=optuna.pruners.MedianPruner(JOBS_BEFORE_PRUNING, n_warmup_steps=math.ceil(epochs / 2)),
            )
            trial = optuna.trial.Trial(study, study.get_trials(deepcopy=False)[self.number - 1]._trial_id)
            value = epoch.validation_loss if self.metric == "validation_loss" else epoch.validation_score
            trial.report(value, epoch.epoch)
            if epoch.epoch < epochs and trial.should_prune():
                words = self.metric.replace("_", " ")
                raise Pruned(f"pruned after epoch {epoch.epoch}: {words} {value:.4g} is worse than half of the others")


def _parameters(trial: optuna.trial.FrozenTrial) -> Mapping[str, Any]:
    """Also of a trial that waits: what it was told to take."""
    fixed: Mapping[str, Any] = trial.system_attrs.get("fixed_params", {})
    return trial.params or fixed


def _storage(folder: Path) -> optuna.storages.JournalStorage:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(folder / JOURNAL)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna's log lines and its warnings about young features are not for the user of a recipe."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)
