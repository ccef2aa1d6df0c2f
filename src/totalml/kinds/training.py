"""How a network learns."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from totalml.component import Component

if TYPE_CHECKING:
    from torch import Tensor


class Augmentation(Component):
    """A random change of a whole training batch, keyed by sample so that batching and workers do not matter."""

    @abstractmethod
    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        """Change a batch.

        Args:
            images: (B, C, H, W) uint8, or float in 0..255 after an earlier augmentation; on any device.
            keys: (B,) int64, one well-mixed number per sample, epoch, seed and place in the list.
        Returns: (B, C, H, W), H and W unchanged.
        """


class Loss(Component):
    """What is minimised, sample by sample."""

    @abstractmethod
    def of(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """(B,) losses.

        Args:
            outputs: (B, P) of the network.
            targets: (B,) int64 or (B, T) float, as the task gives them.
        """


class Schedule(Component):
    """How the learning rate changes over the whole of a training, whatever its length."""

    @abstractmethod
    def factor(self, share: float) -> float:
        """What the optimizer's learning rate is multiplied by when this share of all steps, 0..1, is done."""
