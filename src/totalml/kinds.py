"""The kinds of component that a recipe can name: the sockets of the house.

They stand below every room, so that the recipe can say which kind goes where without importing a room.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

from totalml.component import Component

if TYPE_CHECKING:
    from torch import Tensor, nn

    from totalml.data.sample import BadSample, Ignored, Sample
    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits
    from totalml.quality.pictures import Pictures
    from totalml.quality.report import Finding
    from totalml.quality.suites.record import Suite


class Source(Component):
    """Where samples come from."""

    @abstractmethod
    def samples(self) -> Iterator[Sample | BadSample | Ignored]:
        """Yield every sample once, in a stable order; what cannot become one is yielded as `BadSample`."""

    def fingerprint(self) -> str | None:
        """A text that changes whenever `samples()` would yield something else; None if only a look can tell.

        Arguments, `files()` and a recipe's own code count besides it.
        """
        return None

    def folder(self) -> Path | None:
        """Where the files lie, if in one place: hashes of unchanged files are remembered per folder."""
        return None


class QualityCheck(Component):
    """One question about the data, asked before training; one of the two kinds below."""


class Check(QualityCheck):
    """A question about the snapshot's tables."""

    @abstractmethod
    def findings(self, snapshot: Snapshot, splits: Splits) -> Iterator[Finding | Suite]:
        """Yield what is wrong; nothing if all is well. A suite also says what is right."""


class PictureCheck(QualityCheck):
    """A question about the pictures as the model sees them; it is not asked where the features hold none."""

    @abstractmethod
    def findings(self, snapshot: Snapshot, splits: Splits, pictures: Pictures) -> Iterator[Finding | Suite]:
        """Yield what is wrong; nothing if all is well. A suite also says what is right."""


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


class ImageBackbone(Component):
    """Turns images into embeddings."""

    @abstractmethod
    def build(self, channels: int) -> tuple[nn.Module, int]:
        """The module, (B, C, H, W) float normalised -> (B, D), and its D."""

    def untrained(self) -> Self:
        """The same shape without pretrained weights, for a network whose weights are loaded anyway."""
        return self


class TableBackbone(Component):
    """Turns prepared table columns into embeddings."""

    @abstractmethod
    def build(self, columns: int) -> tuple[nn.Module, int]:
        """The module, (B, columns) float -> (B, D), and its D."""


class Schedule(Component):
    """How the learning rate changes over the whole of a training, whatever its length."""

    @abstractmethod
    def factor(self, share: float) -> float:
        """What the optimizer's learning rate is multiplied by when this share of all steps, 0..1, is done."""
