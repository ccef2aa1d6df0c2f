"""After every epoch: write it down, keep the best and the last state, and stop when nothing improves."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Callback

from totalml.recipe import EarlyStopping
from totalml.training.checkpoint import Checkpoint
from totalml.training.history import Epoch, best_of
from totalml.training.listen import tell_listener

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from totalml.kinds import Task
    from totalml.training.learner import Learner
    from totalml.training.watch import Watch

BEST, LAST = "best.ckpt", "last.ckpt"


class Keep(Callback):
    """Args:
    folder: for best.ckpt and last.ckpt.
    fingerprint: of this training.
    start: what an interrupted attempt had finished.
    """

    def __init__(
        self,
        folder: Path,
        fingerprint: str,
        start: Checkpoint | None,
        task: Task,
        stopping: EarlyStopping | None,
        watch: Watch,
    ) -> None:
        self.history: tuple[Epoch, ...] = start.history if start else ()
        self.losses = start.losses if start else torch.zeros(0, dtype=torch.float64)
        self.folder = folder
        self.fingerprint = fingerprint
        self._task, self._stopping = task, stopping
        self._watch = watch
        self._began = 0.0

    @property
    def best(self) -> Epoch:
        return best_of(self.history, self._task, self._stopping.metric if self._stopping else "loss")

    @property
    def exhausted(self) -> bool:
        """Whether early stopping has lost its patience."""
        if self._stopping is None or not self.history:
            return False
        return self.history[-1].epoch - self.best.epoch >= self._stopping.patience

    def on_train_epoch_start(self, trainer: Trainer, pl_module: Any) -> None:
        self._began = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: Learner) -> None:  # type: ignore[override]
        loss, score = pl_module.validation_tally.means()
        epoch = Epoch(
            epoch=pl_module.epoch + 1,
            train_loss=pl_module.training_tally.mean(),
            validation_loss=loss,
            validation_score=score,
            learning_rate=pl_module.training_tally.learning_rate,
            seconds=time.perf_counter() - self._began,
        )
        self.history = (*self.history, epoch)
        self.losses = torch.cat([self.losses, pl_module.training_tally.losses()])
        is_best = self.best is epoch
        if trainer.is_global_zero:
            self._save(trainer, pl_module, is_best)
        self._watch.tell(epoch, is_best)
        tell_listener(epoch, pl_module.first_epoch + (trainer.max_epochs or 0))
        if self.exhausted:
            trainer.should_stop = True

    def _save(self, trainer: Trainer, learner: Learner, is_best: bool) -> None:
        network = learner.network.state_dict()
        if is_best:
            # Before last.ckpt: after a crash between the two, the epoch is trained again and gives the same best.
            Checkpoint(self.fingerprint, network, {}, {}, self.history, self.losses).save(self.folder / BEST)
        schedule = learner.scheduler.state_dict() if learner.scheduler is not None else {}
        optimizer = trainer.optimizers[0].state_dict()
        last = Checkpoint(self.fingerprint, network, optimizer, schedule, self.history, self.losses)
        last.save(self.folder / LAST)
