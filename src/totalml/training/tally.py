"""Losses of an epoch, kept on the device and looked at now and then: each look waits for the device."""

import math

import torch
from torch import Tensor

from totalml.errors import TrainingError
from totalml.training.ranks.process_rank import ALONE, ProcessRank

CHECK_EVERY = 50  # steps
MEND = "Lower the lr of training.optimizer or set training.clip_norm."


class TrainTally:
    """Args:
    epoch: counted from 1, for messages.
    place: what is added on each rank is its part; looks are at the mean over all, and every rank must look.
    """

    def __init__(self, epoch: int, place: ProcessRank = ALONE) -> None:
        self.learning_rate = 0.0
        self._place = place
        self._epoch = epoch
        self._losses: list[Tensor] = []
        self._sizes: list[int] = []
        self._ended: Tensor | None = None

    def add(self, loss: Tensor, size: int, learning_rate: float) -> None:
        """Raises: TrainingError: this loss or one of the last steps is not a finite number."""
        self._losses.append(loss.detach())
        self._sizes.append(size)
        self.learning_rate = learning_rate
        if len(self._losses) % CHECK_EVERY == 0:
            self.require_finite(len(self._losses) - CHECK_EVERY)

    def mean(self) -> float:
        """Over the samples of the epoch, which has ended."""
        sizes = torch.tensor(self._sizes, dtype=torch.float64)
        return float((self.losses() * sizes).sum() / sizes.sum())

    def losses(self) -> Tensor:
        """(S,) float64 on the CPU, the loss of each step of the epoch, which has ended."""
        if self._ended is None:
            self._ended = self._joined(0).cpu()
        return self._ended

    def require_finite(self, first: int = 0) -> None:
        """Args: first: the step, from 0, to look from.

        Raises: TrainingError: a loss is not a finite number.
        """
        losses = self._joined(first).float().cpu()
        wrong = (~losses.isfinite()).nonzero()
        if len(wrong):
            step = int(wrong[0])
            raise TrainingError(
                f"the loss became {losses[step].item()} in epoch {self._epoch}, step {first + step + 1}. {MEND}"
            )

    def _joined(self, first: int) -> Tensor:
        return self._place.total(torch.stack(self._losses[first:]).double()) / self._place.world_size


class ValidationTally:
    """Args:
    place: what is added on each rank is its part; the means are over all, and every rank must ask for them.
    """

    def __init__(self, place: ProcessRank = ALONE) -> None:
        self._place = place
        self._totals: list[Tensor] = []

    def add(self, losses: Tensor, weights: Tensor, scores: Tensor) -> None:
        """Args: losses: (B,), already weighed; weights: (B,); scores: (B,)."""
        count = losses.new_full((), len(losses), dtype=torch.float64)
        self._totals.append(torch.stack([losses.double().sum(), weights.double().sum(), scores.double().sum(), count]))

    def means(self) -> tuple[float, float]:
        """Loss by weight, and the mean score.

        Raises: TrainingError: the loss is not a finite number.
        """
        loss, weight, score, count = self._place.total(torch.stack(self._totals).sum(dim=0)).tolist()
        if not math.isfinite(loss):
            raise TrainingError(f"the validation loss became {loss}. {MEND}")
        return loss / weight, score / count
