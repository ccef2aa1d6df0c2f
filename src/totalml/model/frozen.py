"""An image backbone that stays as it starts: pictures in, the same embeddings out, whatever is trained behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from totalml.errors import ModelError
from totalml.model.preprocess import IMAGENET_DEVIATION, IMAGENET_MEAN, ImageScaler

if TYPE_CHECKING:
    from totalml.kinds import ImageBackbone


class FrozenBackbone(nn.Module):
    """Its tensors have the names that they have in a `Network`.

    Pictures are scaled by constants, not by what the training rows look like: an embedding then depends on its picture
    alone and stays when the snapshot grows or is split in another way.

    Args:
        backbone: draws its first weights from torch's generator, or loads them.
    Raises: ModelError: it cannot be built.
    """

    def __init__(self, backbone: ImageBackbone) -> None:
        super().__init__()
        self.scaler = ImageScaler(len(IMAGENET_MEAN))
        self.scaler.mean.copy_(torch.tensor(IMAGENET_MEAN))
        self.scaler.deviation.copy_(torch.tensor(IMAGENET_DEVIATION))
        image, self.width = backbone.build(len(IMAGENET_MEAN))
        self.image = image.to(memory_format=torch.channels_last)
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> Tensor:
        """(B, H, W, 3) uint8 -> (B, D) float32.

        Raises: ModelError: the backbone cannot take pictures of this size.
        """
        try:
            embeddings: Tensor = self.image(self.scaler(images))
        except (RuntimeError, AssertionError) as error:
            raise ModelError(
                f"the frozen backbone cannot run with pictures of {images.shape[1]} px: {error}. "
                "Set another features.image.size or another backbone."
            ) from error
        return embeddings
