"""What a rank other than 0 tells its log, so that anybody can see that all ranks trained the same thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lightning.pytorch import Callback

from totalml.identity import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning.pytorch import Trainer
    from torch import Tensor

    from totalml.progress import Progress
    from totalml.training.learner import Learner


class Witness(Callback):
    """The learning rates of every epoch, and a digest of the weights at the end."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._rates: list[float] = []

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: Learner, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._rates.append(pl_module.training_tally.learning_rate)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: Learner) -> None:  # type: ignore[override]
        rates, self._rates = self._rates, []
        self._progress.say(f"{len(rates)} steps at learning rates {min(rates)!r} to {max(rates)!r}")

    def on_train_end(self, trainer: Trainer, pl_module: Learner) -> None:  # type: ignore[override]
        self._progress.say(f"weights at the end: {weights_digest(pl_module.network.state_dict())}")


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """Of a network's `state_dict()`, whatever device it is on."""
    return digest("rank weights v1", b"".join(state[name].cpu().numpy().tobytes() for name in sorted(state)))
