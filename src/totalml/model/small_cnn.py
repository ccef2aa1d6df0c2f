"""A small residual network for photos of 64 to 128 px that trains on a laptop's CPU."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from totalml.kinds import ImageBackbone

if TYPE_CHECKING:
    from torch import nn


class SmallCnn(ImageBackbone):
    """A stride-2 stem, then `depth` stages that each halve the picture and double the channels.

    The defaults have 292,000 weights. Global mean pooling, so any picture of at least 2^(depth + 1) px fits.
    """

    width: Annotated[int, Field(ge=4, le=256)] = 16  # channels after the stem
    depth: Annotated[int, Field(ge=1, le=6)] = 3  # stages; the last has width * 2^depth channels

    def build(self, channels: int) -> tuple[nn.Module, int]:
        from torch import nn

        from totalml.model.layers import GlobalMean, ResidualStage, convolution

        widths = [self.width * 2**stage for stage in range(self.depth + 1)]
        stages = [ResidualStage(before, after) for before, after in pairwise(widths)]
        return nn.Sequential(convolution(channels, self.width, stride=2), *stages, GlobalMean()), widths[-1]
