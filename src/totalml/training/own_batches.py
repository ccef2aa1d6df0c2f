"""Batches as a LightningModule expects them: pictures as (B, C, H, W) float in 0..1, and the targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from totalml.training.augment import augmented
from totalml.training.batches import Batch, Batches, batches_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from totalml.features import FeatureSet
    from totalml.kinds import Augmentation


class OwnBatches:
    """A sized iterable of dicts: `image` (B, C, H, W) float32 in 0..1, `numeric` (B, Dn) float32, NaN where missing,
    `categorical` (B, Dc) int64, `target` as the task gives it; those that the features have.
    """

    def __init__(self, features: FeatureSet, rows: NDArray[np.int64], batch_size: int) -> None:
        self._features, self._rows, self._size = features, rows, batch_size

    def __len__(self) -> int:
        return batches_of(len(self._rows), self._size)

    def __iter__(self) -> Iterator[Batch]:
        return map(_ordinary, self._drawn())

    def _drawn(self) -> Iterator[Batch]:
        return iter(Batches(self._features, self._rows, self._size))


class EpochBatches(OwnBatches):
    """The same for training: in an order, and with augmentation, that the samples, the seed and the epoch decide.

    Args: epoch: of the next iteration, from 0.
    """

    epoch = 0

    def __init__(
        self,
        features: FeatureSet,
        rows: NDArray[np.int64],
        batch_size: int,
        seed: int,
        augment: Sequence[Augmentation],
    ) -> None:
        super().__init__(features, rows, batch_size)
        self._seed, self._augment = seed, augment

    def _drawn(self) -> Iterator[Batch]:
        for batch in Batches.shuffled(self._features, self._rows, self._size, self._seed, self.epoch):
            if "image" in batch:
                batch["image"] = augmented(batch["image"], self._augment, batch["key"])
            yield batch


def _ordinary(batch: Batch) -> Batch:
    given = {name: tensor for name, tensor in batch.items() if name != "key" and tensor.numel()}
    if "image" in given:
        given["image"] = planes(given["image"])
    return given


def planes(images: Tensor) -> Tensor:
    """(B, H, W, C) uint8, or (B, C, H, W) float in 0..255 -> (B, C, H, W) float in 0..1."""
    planes = images if images.is_floating_point() else images.permute(0, 3, 1, 2).float()
    return planes.contiguous() / 255
