"""Parts of the house's own network."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Self

from totalml.component import Component

if TYPE_CHECKING:
    from torch import nn


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
