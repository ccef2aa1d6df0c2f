"""Dropout whose mask is that of the whole batch, also where a process holds only a share of it.

So dropout drops the same numbers of the same samples whatever the number of processes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from totalml.training.classifier import Classifier


def share_dropout(classifier: Classifier) -> None:
    """From now on, every `nn.Dropout` of the classifier takes its part of a mask that all ranks draw alike."""
    for module in classifier.modules():
        if isinstance(module, nn.Dropout):
            vars(module)["forward"] = partial(_forward, module, classifier)


@torch.compiler.disable  # type: ignore[misc, untyped-decorator, unused-ignore]
def _forward(dropout: nn.Dropout, classifier: Classifier, inputs: Tensor) -> Tensor:
    if not dropout.training or dropout.p == 0:
        return inputs
    kept = 1 - dropout.p
    mask = inputs.new_empty(classifier.whole_batch, *inputs.shape[1:])
    mask.bernoulli_(kept, generator=classifier.mask_generator)
    if kept:
        mask.div_(kept)
    return inputs * mask[classifier.place.share(0, len(mask))]
