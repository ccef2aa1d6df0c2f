"""Changes of a whole batch of pictures at once.

Pictures come as (B, C, H, W) over channels-last memory, so a row of pixels with all its channels is one run of memory.
Whole rows are copied and scaled at once: ten times as fast as arithmetic whose innermost loop is over three channels.
"""

import torch
from torch import Tensor

from totalml.training.keys import below, uniform

MID_GREY = 128


def mirror(images: Tensor, chosen: Tensor) -> Tensor:
    """Flip the pictures that `chosen`, (B,) bool, marks."""
    pixels = _channels_last(images)
    # Both are made and whole pictures picked: flipping the chosen ones alone would make a GPU wait for the CPU.
    both = torch.cat([pixels, pixels.flip(2)])
    picked = torch.arange(len(pixels), device=images.device) + len(pixels) * chosen
    return both.index_select(0, picked).permute(0, 3, 1, 2)


def shift(images: Tensor, down: Tensor, right: Tensor, most: int) -> Tensor:
    """Move each picture's content and fill what becomes free by reflection.

    Args:
        down, right: (B,) int64 px in -most..most.
        most: less than the side.
    """
    pixels = _channels_last(images)
    count, height, width, channels = pixels.shape
    before, after = pixels[:, :, 1 : most + 1].flip(2), pixels[:, :, -most - 1 : -1].flip(2)
    padded = torch.cat([before, pixels, after], dim=2)
    # Every run of `width` pixels, wherever it starts, as one row of a view over the padded memory.
    stride = width + 2 * most
    runs = padded.as_strided((count * height * stride - width + 1, width * channels), (channels, 1))
    places = torch.arange(count, device=images.device)[:, None] * height + _moved(height, down)
    rows = places * stride + (most - right)[:, None]
    return runs.index_select(0, rows.flatten()).view(pixels.shape).permute(0, 3, 1, 2)


def relight(images: Tensor, keys: Tensor, brightness: float, contrast: float, colour: float) -> Tensor:
    """Scale about mid grey and shift, with factors drawn by key; float in 0..255."""
    pixels = _channels_last(images)
    count, height, width, channels = pixels.shape
    per_channel = torch.arange(channels, device=images.device)
    tint = 1 + colour * (2 * uniform(keys[:, None] + per_channel, 2) - 1)
    gain = tint * (1 + contrast * (2 * uniform(keys, 0) - 1))[:, None]
    offset = 255 * brightness * (2 * uniform(keys, 1) - 1)[:, None] + MID_GREY * (tint - gain)
    rows = pixels.view(count, height, width * channels).to(torch.float32, copy=True)
    rows.mul_(gain.repeat(1, width)[:, None]).add_(offset.repeat(1, width)[:, None]).clamp_(0, 255)
    return rows.view(pixels.shape).permute(0, 3, 1, 2)


def cover(images: Tensor, keys: Tensor, chosen: Tensor, side: float) -> Tensor:
    """Grey out a square of `side` (share) inside each picture that `chosen`, (B,) bool, marks."""
    pixels = _channels_last(images)
    count, height, width, channels = pixels.shape
    rows = _inside(keys, 1, height, max(1, round(side * height))) & chosen[:, None]
    columns = _inside(keys, 2, width, max(1, round(side * width))).repeat_interleave(channels, dim=1)
    covered = rows[:, :, None] & columns[:, None, :]
    greyed = pixels.view(count, height, width * channels).masked_fill(covered, MID_GREY)
    return greyed.view(pixels.shape).permute(0, 3, 1, 2)


def _inside(keys: Tensor, draw: int, length: int, covered: int) -> Tensor:
    """(B, length) bool: a run of `covered` places at a random start."""
    start = below(keys, draw, length - covered + 1)[:, None]
    places = torch.arange(length, device=keys.device)
    return (places >= start) & (places < start + covered)


def _channels_last(images: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, H, W, C), contiguous; no copy in the usual case."""
    return images.permute(0, 2, 3, 1).contiguous()


def _moved(length: int, by: Tensor) -> Tensor:
    """(B, length) int64: where each place of a line moved by `by` comes from, reflected without repeating the edge."""
    places = (torch.arange(length, device=by.device) - by[:, None]).abs()
    return (length - 1) - ((length - 1) - places).abs()
