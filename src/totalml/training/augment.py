"""Random changes of a training batch that a recipe can name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from totalml.kinds import Augmentation
from totalml.recipe import Share

if TYPE_CHECKING:
    from torch import Tensor


def augmented(images: Tensor, changes: Sequence[Augmentation], keys: Tensor) -> Tensor:
    """Apply changes in order, each with keys of its own.

    Args:
        images: (B, H, W, C) uint8.
        keys: (B,) int64, well mixed, one a sample and epoch.
    Returns: what a network takes: (B, H, W, C) uint8, or (B, C, H, W) float in 0..255 if a change needs floats.
    """
    from totalml.training.keys import mix

    if not changes:
        return images
    planes = images.permute(0, 3, 1, 2)
    for place, change in enumerate(changes):
        planes = change.apply(planes, mix(keys, place))
    return planes if planes.is_floating_point() else planes.permute(0, 2, 3, 1)


class Flip(Augmentation):
    """Mirror left and right."""

    probability: Share = 0.5

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        from totalml.training.batch_images import mirror
        from totalml.training.keys import uniform

        return mirror(images, uniform(keys, 0) < self.probability)


class RandomCrop(Augmentation):
    """Shift by up to `padding` of the side in both directions; the border is filled by reflection."""

    padding: Annotated[float, Field(gt=0, le=0.5)] = 0.1  # share of the side

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        from totalml.training.batch_images import shift
        from totalml.training.keys import below

        most = max(1, round(self.padding * min(images.shape[2:])))
        span = 2 * most + 1
        return shift(images, below(keys, 0, span) - most, below(keys, 1, span) - most, most)


class Light(Augmentation):
    """Another exposure, contrast about mid grey, and white balance."""

    brightness: Share = 0.2  # at most this share of full white, up or down
    contrast: Annotated[float, Field(ge=0, lt=1)] = 0.2  # factor 1 - contrast .. 1 + contrast
    colour: Annotated[float, Field(ge=0, lt=1)] = 0.0  # the same for each channel alone

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        from totalml.training.batch_images import relight

        return relight(images, keys, self.brightness, self.contrast, self.colour)


class Erase(Augmentation):
    """Cover a square with mid grey, so that no single spot decides."""

    probability: Share = 0.5
    side: Annotated[float, Field(gt=0, lt=1)] = 0.3  # share of the picture's side

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        from totalml.training.batch_images import cover
        from totalml.training.keys import uniform

        return cover(images, keys, uniform(keys, 0) < self.probability, self.side)
