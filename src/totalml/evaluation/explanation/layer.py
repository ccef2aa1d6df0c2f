"""Where a network still knows where: the last of its layers whose output is a map of the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

MAP_DIMENSIONS = 4  # batch, channels, height, width


@dataclass(frozen=True)
class MapLayer:
    """Args:
    name: of the module in the network.
    before: names of the modules with weights that run up to it, in order.
    late: those of the later half of all that run, and all after it.
    """

    name: str
    before: tuple[str, ...]
    late: tuple[str, ...]


def map_layer(network: nn.Module, inputs: Mapping[str, Tensor]) -> MapLayer | None:
    """The last module below `network` whose output is a square map of more than one place.

    None if less than half of the network comes before it, as in vision transformers: their only such map is the
    picture cut into patches, which has seen nothing yet.

    Args: inputs: of one sample or more; the network is run once.
    """
    ran: list[str] = []
    maps: list[tuple[str, int]] = []

    def listen(name: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
        weighted = next(module.parameters(recurse=False), None) is not None

        def hear(_module: nn.Module, _given: object, output: object) -> None:
            if weighted:
                ran.append(name)
            if _is_map(output):
                maps.append((name, len(ran)))

        return module.register_forward_hook(hear)

    # Not the network itself, nor what scales its pictures: that map is the picture.
    listened = [(name, module) for name, module in network.named_modules() if name and not name.startswith("scaler")]
    handles = [listen(name, module) for name, module in listened]
    try:
        with torch.inference_mode():
            network(inputs)
    finally:
        for handle in handles:
            handle.remove()
    name, count = maps[-1] if maps else ("", 0)
    return MapLayer(name, tuple(ran[:count]), tuple(ran[len(ran) // 2 :])) if 2 * count >= len(ran) > 0 else None


def _is_map(output: object) -> bool:
    if not isinstance(output, Tensor) or output.ndim != MAP_DIMENSIONS:
        return False
    # Square as the pictures are; what keeps channels last is not.
    return bool(output.shape[2] == output.shape[3] > 1)
