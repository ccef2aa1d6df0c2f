"""The record of a training: one line an epoch, and where the weights are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Stopped = Literal["finished", "early"]


@dataclass(frozen=True)
class Epoch:
    """Args:
    epoch: counted from 1.
    train_loss: mean over the samples, as minimised (with weights and smoothing).
    validation_loss: cross-entropy with class weights, without smoothing.
    validation_accuracy: share of correct samples.
    learning_rate: of the last step.
    """

    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class TrainedModel:
    """Args:
    weights: model.safetensors, of the best epoch.
    best_epoch: counted from 1.
    resumed_from: how many epochs an interrupted attempt had left; None: none.
    """

    weights: Path
    weights_digest: str
    history: tuple[Epoch, ...]
    best_epoch: int
    epochs_run: int
    resumed_from: int | None
    stopped: Stopped

    def facts(self) -> dict[str, float | int | str]:
        """What `run.json` says of it, for comparing runs without torch."""
        best = next(epoch for epoch in self.history if epoch.epoch == self.best_epoch)
        return {
            "epochs": self.epochs_run,
            "best_epoch": self.best_epoch,
            "validation_loss": best.validation_loss,
            "validation_accuracy": best.validation_accuracy,
            "stopped": self.stopped,
        }


def best_of(history: tuple[Epoch, ...], metric: Literal["loss", "accuracy"]) -> Epoch:
    """The epoch with the lowest validation loss or the highest accuracy; the earliest of equals."""
    if metric == "accuracy":
        return max(history, key=lambda epoch: epoch.validation_accuracy)
    return min(history, key=lambda epoch: epoch.validation_loss)
