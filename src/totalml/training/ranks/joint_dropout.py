"""Dropout whose mask is that of the whole batch, also where a process holds only a share of it.

So dropout drops the same numbers of the same samples whatever the number of processes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from totalml.training.learner import Learner


def share_dropout(learner: Learner) -> None:
    """From now on, every `nn.Dropout` of the learner takes its part of a mask that all ranks draw alike."""
    for module in learner.modules():
        if isinstance(module, nn.Dropout):
            vars(module)["forward"] = partial(_forward, module, learner)


@torch.compiler.disable  # type: ignore[misc, untyped-decorator, unused-ignore]
def _forward(dropout: nn.Dropout, learner: Learner, inputs: Tensor) -> Tensor:
    if not dropout.training or dropout.p == 0:
        return inputs
    kept = 1 - dropout.p
    mask = inputs.new_empty(learner.whole_batch, *inputs.shape[1:])
    mask.bernoulli_(kept, generator=learner.mask_generator)
    if kept:
        mask.div_(kept)
    return inputs * mask[learner.place.share(0, len(mask))]
