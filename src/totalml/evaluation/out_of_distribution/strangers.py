"""Pictures that are none of what the model learnt, made of test pictures, so that a detector can be tried on them."""

from collections.abc import Callable

import torch
from torch import Tensor

from totalml.training.keys import mix, uniform

TILES = 4  # along a side
COLOUR, NOISE, ORDER = 0, 1, 2  # what random numbers are for


def noise(images: Tensor, keys: Tensor) -> Tensor:
    """Every value of every pixel at random."""
    places = mix(keys, NOISE)[:, None] + torch.arange(images[0].numel(), device=images.device)
    return (256 * uniform(places, 0)).to(torch.uint8).view(images.shape)


def flat(images: Tensor, keys: Tensor) -> Tensor:
    """One colour each."""
    channels = torch.arange(images.shape[3], device=images.device)
    colours = (256 * uniform(mix(keys, COLOUR)[:, None] + channels, 0)).to(torch.uint8)
    return colours[:, None, None].expand(images.shape).contiguous()


def tiles(images: Tensor, keys: Tensor) -> Tensor:
    """Cut into four by four tiles, put together in another order; what a tile's side does not divide stays."""
    count, side, _, channels = images.shape
    tile, number = side // TILES, TILES * TILES
    cut = images[:, : TILES * tile, : TILES * tile].reshape(count, TILES, tile, TILES, tile, channels)
    pieces = cut.permute(0, 1, 3, 2, 4, 5).reshape(count, number, tile, tile, channels)
    order = uniform(mix(keys, ORDER)[:, None] + torch.arange(number, device=images.device), 0).argsort(dim=1)
    mixed = pieces[torch.arange(count, device=images.device)[:, None], order]
    grid = mixed.reshape(count, TILES, TILES, tile, tile, channels).permute(0, 1, 3, 2, 4, 5)
    changed = images.clone()
    changed[:, : TILES * tile, : TILES * tile] = grid.reshape(count, TILES * tile, TILES * tile, channels)
    return changed


def negative(images: Tensor, keys: Tensor) -> Tensor:
    """Light and dark exchanged in every channel."""
    return 255 - images


STRANGERS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "noise": noise,
    "flat": flat,
    "tiles": tiles,
    "negative": negative,
}
