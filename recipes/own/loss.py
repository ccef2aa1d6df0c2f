"""A loss of one's own: mistakes count more the surer the model was of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from totalml.kinds import Loss

if TYPE_CHECKING:
    from torch import Tensor


class FocalLoss(Loss):
    """Cross-entropy times (1 - p)^gamma, p the probability of the true class.

    Source: Lin et al. 2017.
    """

    gamma: Annotated[float, Field(ge=0)] = 2.0

    def of(self, outputs: Tensor, targets: Tensor) -> Tensor:
        from torch.nn import functional

        losses = functional.cross_entropy(outputs, targets, reduction="none")
        return (1 - (-losses).exp()) ** self.gamma * losses
