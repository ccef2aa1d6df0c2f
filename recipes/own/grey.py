"""A transform of one's own: some pictures of a batch lose their colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from totalml.kinds import Augmentation

if TYPE_CHECKING:
    from torch import Tensor


class Grey(Augmentation):
    probability: Annotated[float, Field(ge=0, le=1)] = 0.2

    def apply(self, images: Tensor, keys: Tensor) -> Tensor:
        from totalml.training.keys import uniform

        grey = images.float().mean(dim=1, keepdim=True).expand_as(images)
        chosen = (uniform(keys, 0) < self.probability)[:, None, None, None]
        return grey.where(chosen, images.float())
