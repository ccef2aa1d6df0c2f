"""What enters the head of a trained network, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from totalml.evaluation.arrays import Ints
from totalml.evaluation.pictures import parts
from totalml.training.batches import Batches
from totalml.training.end_to_end import EndToEndNetwork

Change = Callable[[Tensor, Tensor], Tensor]


def embedded(whole: EndToEndNetwork, rows: Ints) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(N, D) what enters the head and (N, P) what the network puts out.

    What a frozen backbone makes of a picture is taken from where it is kept.
    """
    given = (
        {name: tensor.to(whole.device) for name, tensor in batch.items()}
        for some in parts(rows, whole.features)
        for batch in Batches(whole.features, some, len(some))
    )
    return _passed(whole.network, given)


def embedded_changed(whole: EndToEndNetwork, rows: Ints, change: Change) -> NDArray[np.float32]:
    """(N, D) what enters the head where pictures are changed; columns of a table stay.

    Args: change: (B, S, S, 3) uint8 and (B,) int64 keys -> (B, S, S, 3) uint8.
    """

    def changed(some: Ints) -> Mapping[str, Tensor]:
        inputs = whole.inputs(some)
        keys = torch.from_numpy(whole.features.sample_keys[some]).to(whole.device)
        return {**inputs, "image": change(inputs["image"], keys)}

    return _passed(whole.network, (changed(some) for some in parts(rows, whole.features)))[0]


def _passed(network: Any, given: Iterator[Mapping[str, Tensor]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    with torch.inference_mode(), _listening(network.head) as heard:
        said = [network(inputs).float().cpu() for inputs in given]
    empty = torch.zeros(0, 0)
    return torch.cat(heard or [empty]).numpy(), torch.cat(said or [empty]).numpy()


@contextmanager
def _listening(layer: nn.Module) -> Iterator[list[Tensor]]:
    """What is given to a layer, on the CPU."""
    heard: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, given: heard.append(given[0].cpu()))
    try:
        yield heard
    finally:
        hook.remove()
