"""Ways in which a photo gets worse, each for a whole batch and in physical terms.

Pictures come and go as (B, S, S, 3) uint8, as a camera would store them, whatever other pictures share their batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from totalml.recipe import RobustnessRecipe
from totalml.training.keys import uniform

Corruption = Callable[[Tensor, Tensor, Sequence[float]], Iterator[Tensor]]

BLUR_REACH = 4  # deviations; what lies beyond weighs less than a hundredth of a grey level
WHOLE_TURN = 2 * math.pi
NOISE, ANGLE, SIDE = 0, 1, 2  # draws of random numbers


def versions(recipe: RobustnessRecipe, images: Tensor, keys: Tensor) -> Iterator[tuple[str, int, Tensor]]:
    """Every worse version of a batch: its kind, its place among the strengths from 0, and the pictures.

    Args:
        images: (B, S, S, 3) uint8.
        keys: (B,) int64, well mixed, one a sample.
    """
    for kind, strengths in recipe.kinds().items():
        for place, changed in enumerate(CORRUPTIONS[kind](images, keys, strengths)):
            yield kind, place, changed


def blur(images: Tensor, keys: Tensor, sigmas: Sequence[float]) -> Iterator[Tensor]:
    """Gaussian, on the stored values; the picture is continued by reflection.

    Args: sigmas: share of the picture's side.
    """
    side = images.shape[1]
    planes = images.permute(0, 3, 1, 2).to(torch.float32)
    for sigma in sigmas:
        matrix = torch.from_numpy(_blurring(side, sigma * side)).to(images.device)
        yield _stored(matrix @ planes @ matrix.T)


def noise(images: Tensor, keys: Tensor, deviations: Sequence[float]) -> Iterator[Tensor]:
    """Gaussian, independent in every pixel and channel; the same grain in all strengths.

    Args: deviations: grey levels of 255.
    """
    half = -(-images[0].numel() // 2)
    places = keys[:, None] + torch.arange(half, device=images.device)
    # Box and Muller 1958; 1 - u lies in (0, 1], so that its logarithm is finite.
    radius = (-2 * (1 - uniform(places, NOISE)).log()).sqrt()
    angle = WHOLE_TURN * uniform(places, ANGLE)
    grain = torch.cat([radius * angle.cos(), radius * angle.sin()], dim=1)[:, : images[0].numel()]
    pixels, grain = images.to(torch.float32), grain.view(images.shape)
    for deviation in deviations:
        yield _bytes(pixels + deviation * grain)


def dark(images: Tensor, keys: Tensor, stops: Sequence[float]) -> Iterator[Tensor]:
    """Less light: 2^-stops of it, in linear light, stored as sRGB again."""
    levels = np.arange(256) / 255
    for stop in stops:
        curve = torch.from_numpy(np.round(255 * _encoded(_linear(levels) * 2.0**-stop)).astype(np.uint8))
        yield torch.take(curve.to(images.device), images.long())


def jpeg(images: Tensor, keys: Tensor, qualities: Sequence[float]) -> Iterator[Tensor]:
    """Stored as JPEG with 4:2:0 chroma and read again, by Pillow, one by one.

    Args: qualities: 1 to 95, the scale of libjpeg.
    """
    pixels = images.cpu().numpy()
    for quality in qualities:
        yield torch.from_numpy(np.stack([_stored_as_jpeg(one, int(quality)) for one in pixels])).to(images.device)


def rotation(images: Tensor, keys: Tensor, degrees: Sequence[float]) -> Iterator[Tensor]:
    """About the middle, half of the pictures to either side, bilinear; the picture is continued by reflection."""
    signs = torch.where(uniform(keys, SIDE) < 0.5, -1.0, 1.0)
    for degree in degrees:
        yield turned(images, signs * degree)


def turned(images: Tensor, degrees: Tensor) -> Tensor:
    """Each picture turned counter-clockwise about its middle by its own angle, (B,) degrees."""
    radians = torch.deg2rad(degrees.to(torch.float32))
    cos, sin, zero = radians.cos(), radians.sin(), torch.zeros_like(radians)
    # Where each pixel comes from, from the middle to the right and down.
    matrix = torch.stack([cos, -sin, zero, sin, cos, zero], dim=1).view(-1, 2, 3)
    planes = images.permute(0, 3, 1, 2).to(torch.float32).contiguous()
    grid = functional.affine_grid(matrix, list(planes.shape), align_corners=False)
    return _stored(functional.grid_sample(planes, grid, padding_mode="reflection", align_corners=False))


CORRUPTIONS: dict[str, Corruption] = {
    "blur": blur,
    "noise": noise,
    "dark": dark,
    "jpeg": jpeg,
    "rotation": rotation,
}


def _blurring(side: int, sigma: float) -> NDArray[np.float32]:
    """(side, side): what each place of a blurred line takes of each place of the line."""
    reach = math.ceil(BLUR_REACH * sigma)
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / max(sigma, 1e-9)) ** 2)
    matrix = np.zeros((side, side))
    places = np.arange(side)[:, None]
    np.add.at(matrix, (places, _reflected(places + offsets, side)), weights / weights.sum())
    return matrix.astype(np.float32)


def _reflected(places: NDArray[np.int64], side: int) -> NDArray[np.int64]:
    """Places beyond either end folded back, however far; the edge itself is repeated."""
    folded = places % (2 * side)
    return np.minimum(folded, 2 * side - 1 - folded)


def _linear(stored: NDArray[np.float64]) -> NDArray[np.float64]:
    """sRGB to linear light, both in [0, 1]. Source: IEC 61966-2-1."""
    return np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)


def _encoded(light: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _stored_as_jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    file.seek(0)
    with Image.open(file) as picture:
        return np.asarray(picture)


def _stored(planes: Tensor) -> Tensor:
    """(B, C, H, W) float -> (B, H, W, C) uint8."""
    return _bytes(planes.permute(0, 2, 3, 1)).contiguous()


def _bytes(pixels: Tensor) -> Tensor:
    return pixels.round_().clamp_(0, 255).to(torch.uint8)
