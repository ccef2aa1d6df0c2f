"""After every epoch of a LightningModule: write it down, keep the best and the last state, stop when nothing improves.

The state is Lightning's own, so that its loops, schedulers and callbacks go on where they were; it is written whole or
not at all, and read under `weights_only=True`.
"""

from __future__ import annotations

import io
import math
import pickle
import re
import time
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Callback
from lightning.pytorch.plugins.io import CheckpointIO

from totalml.errors import TrainingError
from totalml.store.atomic import write_atomically
from totalml.training.history import Epoch, best_of
from totalml.training.keep import BEST, LAST
from totalml.training.keys import seed_of
from totalml.training.listen import tell_listener

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from totalml.progress import Progress
    from totalml.recipe import Recipe
    from totalml.training.own_batches import EpochBatches
    from totalml.training.watch import Watch

KEY = "totalml"
LOSSES = ("validation_loss", "val_loss", "valid_loss", "validation/loss", "val/loss")
MEND = "log it in validation_step: self.log('validation_loss', loss)"


class PlainCheckpointIO(CheckpointIO):
    """Lightning's checkpoints as files that are whole, and that load without running anything."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        write_atomically(Path(path), buffer.getvalue())

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: Any = True) -> dict[str, Any]:
        return dict(torch.load(path, map_location="cpu", weights_only=True))

    def remove_checkpoint(self, path: Any) -> None:
        Path(path).unlink(missing_ok=True)


class OwnCheckpoints(Callback):
    """Args:
    folder: for best.ckpt and last.ckpt.
    fingerprint: of this training.
    """

    def __init__(self, folder: Path, fingerprint: str, recipe: Recipe, watch: Watch) -> None:
        self.history: tuple[Epoch, ...] = ()
        self.losses = torch.zeros(0, dtype=torch.float64)
        self.resumed_from: int | None = None
        self._folder, self._fingerprint, self._recipe, self._watch = folder, fingerprint, recipe, watch
        self._stopping = recipe.training.early_stopping
        self._batches: EpochBatches | None = None
        self._steps: list[torch.Tensor] = []
        self._began = 0.0

    @property
    def metric(self) -> str:
        return self._stopping.metric if self._stopping else "loss"

    @property
    def best(self) -> Epoch:
        return best_of(self.history, self._recipe.task, self.metric)

    @property
    def exhausted(self) -> bool:
        """Whether early stopping has lost its patience."""
        if self._stopping is None or not self.history:
            return False
        return self.history[-1].epoch - self.best.epoch >= self._stopping.patience

    def follow(self, batches: EpochBatches) -> None:
        """Tell the batches which epoch it is, before they are drawn."""
        self._batches = batches

    def best_state(self) -> dict[str, torch.Tensor]:
        return dict(PlainCheckpointIO().load_checkpoint(self._folder / BEST)["state_dict"])

    def state_dict(self) -> dict[str, Any]:
        history = [asdict(epoch) for epoch in self.history]
        return {"fingerprint": self._fingerprint, "history": history, "losses": self.losses}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.history = tuple(Epoch(**epoch) for epoch in state_dict["history"])
        self.losses, self.resumed_from = state_dict["losses"], len(self.history)

    @property
    def state_key(self) -> str:
        return KEY

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.exhausted:
            trainer.should_stop = True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not any(optimizer.param_groups for optimizer in trainer.optimizers):  # Lightning puts an empty one there
            raise TrainingError("configure_optimizers returned no optimizer, so nothing would be learnt")
        self._seed(trainer)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._began, self._steps = time.perf_counter(), []
        # By epoch, so that a resumed training draws the same dropout as an uninterrupted one.
        torch.manual_seed(seed_of(self._recipe.seed, trainer.current_epoch))

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if loss is None:
            raise TrainingError("training_step returned no loss; every batch must have one")
        self._steps.append(loss.detach().double())

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        losses = torch.stack(self._steps).cpu()
        if not losses.isfinite().all():
            step = int((~losses.isfinite()).nonzero()[0]) + 1
            raise TrainingError(
                f"the loss became {losses[step - 1].item()} in epoch {trainer.current_epoch + 1}, step {step}. "
                "Lower the learning rate or set training.clip_norm."
            )
        self.losses = torch.cat([self.losses, losses])
        epoch = Epoch(
            epoch=trainer.current_epoch + 1,
            train_loss=float(losses.mean()),
            validation_loss=self._validation_loss(trainer),
            validation_score=self._validation_score(trainer),
            learning_rate=float(trainer.optimizers[0].param_groups[0]["lr"]),
            seconds=time.perf_counter() - self._began,
        )
        self.history = (*self.history, epoch)
        is_best = self.best is epoch
        # Best before last: after a crash between the two, the epoch is trained again and gives the same best.
        for name in ([BEST] if is_best else []) + [LAST]:
            self._folder.mkdir(parents=True, exist_ok=True)
            trainer.save_checkpoint(self._folder / name)
        if len(self.history) == 1:
            self._require_plain()
        self._watch.tell(epoch, is_best)
        self._seed(trainer, 1)
        tell_listener(epoch, self._recipe.training.epochs)
        if self.exhausted:
            trainer.should_stop = True

    def _require_plain(self) -> None:
        """After the first epoch, since what cannot be read again would lose all of them."""
        try:
            self.best_state()
        except pickle.UnpicklingError as error:
            found = re.search(r"GLOBAL (\S+)", str(error))
            raise TrainingError(
                f"the module keeps {found[1] if found else 'an object'} in its checkpoint, which cannot be read "
                "without running code; keep tensors, numbers, texts, lists and dicts in save_hyperparameters and "
                "on_save_checkpoint."
            ) from error

    def _seed(self, trainer: Trainer, ahead: int = 0) -> None:
        if self._batches is not None:
            self._batches.epoch = trainer.current_epoch + ahead

    def _validation_loss(self, trainer: Trainer) -> float:
        logged = trainer.callback_metrics
        for name in LOSSES:
            if name in logged:
                loss = float(logged[name])
                if not math.isfinite(loss):
                    raise TrainingError(f"the validation loss became {loss}. Lower the learning rate.")
                return loss
        names = ", ".join(logged) or "nothing"
        raise TrainingError(f"the module logs no validation loss; {MEND}. It logs {names}.")

    def _validation_score(self, trainer: Trainer) -> float:
        """What the module logs by the name of the task's score; not a number if it does not."""
        score, logged = self._recipe.task.score, trainer.callback_metrics
        names = [f"{prefix}{score}" for prefix in ("validation_", "val_", "validation/", "val/")]
        return next((float(logged[name]) for name in names if name in logged), math.nan)


def resumable(folder: Path, fingerprint: str, progress: Progress) -> Path | None:
    """The checkpoint of an interrupted attempt of the same training, if it is whole."""
    path = folder / LAST
    if not path.exists():
        return None
    try:
        for file in (path, folder / BEST):
            with zipfile.ZipFile(file) as archive:  # torch.load does not look at the checksums
                if archive.testzip():
                    raise ValueError("it is damaged")
            found = PlainCheckpointIO().load_checkpoint(file)["callbacks"][KEY]
            if found["fingerprint"] != fingerprint:
                raise ValueError("it belongs to another recipe or other data")
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        progress.say(f"training starts over: {path} cannot be used: {error}")
        return None
    progress.say(f"going on after epoch {len(found['history'])} of an interrupted training")
    return path
