"""The record of a training: one line an epoch, and where the weights are."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from totalml.errors import StoreError
from totalml.runs.attempt import STEPS_FILE, TRAINING_FILE, WEIGHTS_FILE
from totalml.store.atomic import write_atomically, write_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.kinds import Task

Stopped = Literal["finished", "early"]


@dataclass(frozen=True)
class Epoch:
    """Args:
    epoch: counted from 1.
    train_loss: mean over the samples, as minimised (with weights and smoothing).
    validation_loss: what is minimised, without what only training adds, such as smoothing.
    validation_score: the task's figure.
    learning_rate: of the last step.
    """

    epoch: int
    train_loss: float
    validation_loss: float
    validation_score: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True)
class TrainedModel:
    """Args:
    weights: model.safetensors, of the best epoch.
    score: what `Epoch.validation_score` is, such as accuracy.
    best_epoch: counted from 1.
    resumed_from: how many epochs an interrupted attempt had left; None: none.
    """

    weights: Path
    weights_digest: str
    features_digest: str
    score: str
    history: tuple[Epoch, ...]
    best_epoch: int
    epochs_run: int
    resumed_from: int | None
    stopped: Stopped

    def save(self, folder: Path) -> None:
        """Write all but the weights, which lie there already."""
        write_json(folder / TRAINING_FILE, asdict(self) | {"weights": self.weights.name})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises: StoreError: training.json is missing or damaged."""
        file = folder / TRAINING_FILE
        with _readable(file):
            values = json.loads(file.read_text(encoding="utf-8"))
            history = tuple(Epoch(**epoch) for epoch in values["history"])
            return cls(**values | {"weights": folder / WEIGHTS_FILE, "history": history})


def write_steps(folder: Path, losses: NDArray[np.float64]) -> None:
    """Args:
    losses: (S,) of each training step; a look at where two trainings parted.
    """
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, losses, allow_pickle=False)
    write_atomically(folder / STEPS_FILE, buffer.getvalue())


def read_steps(folder: Path) -> NDArray[np.float64]:
    """(S,) the loss of each training step of a run.

    Raises: StoreError: steps.npy is missing or damaged.
    """
    import numpy as np

    with _readable(file := folder / STEPS_FILE):
        return np.load(io.BytesIO(file.read_bytes()), allow_pickle=False).astype(np.float64, copy=False)


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(f"{file} cannot be read: {error}. Run the recipe again.") from error


def best_of(history: tuple[Epoch, ...], task: Task, metric: str = "loss") -> Epoch:
    """The epoch with the best validation loss, or the best of the task's score; the earliest of equals."""
    if metric == "loss":
        return min(history, key=lambda epoch: epoch.validation_loss)
    best = min if task.lower_is_better else max
    return best(history, key=lambda epoch: epoch.validation_score)
