"""Where a head looks at the mean of maps, what each map says for each class: an explanation that needs no gradient."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from totalml.evaluation.explanation.layer import map_layer
from totalml.kinds import Task
from totalml.model import Network
from totalml.release.onnx_model import EMBEDDING, IMAGE, MAPS

MEAN_TOLERANCE = 1e-4  # between an embedding and the mean of its maps, in units of its largest number


def map_head(network: Network, task: Task, blank: dict[str, Tensor]) -> tuple[str | None, Tensor | None]:
    """The layer that Grad-CAM looks at, and (A, C, 1, 1) what its map of each channel says for each class.

    Grad-CAM weighs a map by its mean gradient. Where the score is linear on the mean of maps of h x w places, that is
    the head's weight / (h * w) at every place of every picture; of a score less the mean of all, as the explanation
    has it, the weight less the mean of all. Nothing where the scores hang on the maps in another way: that is tried.

    Source: Zhou et al. 2016, which Selvaraju et al. 2017 generalise.
    """
    if "explanation" not in task.parts or type(network.head) is not nn.Linear or IMAGE not in blank:
        return None, None
    noise = torch.randint(0, 256, blank[IMAGE].shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    given = {**blank, IMAGE: noise}
    network.eval()
    if (layer := map_layer(network, given)) is None:
        return None, None
    with torch.no_grad(), heard_in(network, layer.name) as heard:
        network(given)
    maps, embedding = heard[MAPS], heard[EMBEDDING]
    mean, channels = maps.mean(dim=(2, 3)), maps.shape[1]
    joined = embedding[:, :channels]  # that of the picture stands in front
    near = MEAN_TOLERANCE * float(embedding.abs().max())
    if joined.shape != mean.shape or not torch.allclose(joined, mean, rtol=0, atol=near):
        return None, None
    weight = network.head.weight.detach()[:, :channels]
    return layer.name, ((weight - weight.mean(dim=0)) / maps[0, 0].numel())[:, :, None, None]


@contextmanager
def heard_in(network: Network, layer: str | None) -> Iterator[dict[str, Tensor]]:
    """While it runs: the joined `embedding` in front of the head, and the `maps` that a layer puts out."""
    heard: dict[str, Tensor] = {}
    with ExitStack() as stack:
        hook = network.head.register_forward_pre_hook(lambda _, given: heard.update({EMBEDDING: given[0]}))
        stack.callback(hook.remove)
        if layer is not None:
            # A copy, because what comes after it may work in place.
            told = network.get_submodule(layer)
            hook = told.register_forward_hook(lambda _, _given, output: heard.update({MAPS: output.clone()}))
            stack.callback(hook.remove)
        yield heard
