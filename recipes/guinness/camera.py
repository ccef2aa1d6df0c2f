"""Where the camera stands, and what its sensor and its file do to the picture."""

from dataclasses import dataclass

import numpy as np

from recipes.guinness import noise
from recipes.guinness.jpeg import compress
from recipes.guinness.noise import Numbers, Plane
from recipes.guinness.pint import Pints
from recipes.guinness.shapes import column

# How much rounder an ellipse looks from the rim down to the foot: phones stand some 40 cm away.
ELEVATION_GAIN = 0.1


@dataclass(frozen=True)
class View:
    """The picture's coordinates for n pints: right and up, in pictures, levelled by the camera's roll.

    Args:
        right, up: (n, H, W) from the photo's middle.
        pixel: side of a pixel, in pictures.
        horizon: (n, 1, 1) height of the eye.
    """

    right: Plane
    up: Plane
    pixel: float
    horizon: Plane


def view(pints: Pints, size_px: int) -> View:
    """Every pixel of the photo."""
    return _view(pints, (np.arange(size_px, dtype=np.float64) + 0.5) / float(size_px) - 0.5, 1.0 / float(size_px))


def coarse_view(pints: Pints, size_px: int) -> View:
    """Every second pixel and one more at each edge, for what lies out of focus; see `refine`."""
    half = (size_px + 1) // 2
    steps = (np.arange(-1, half + 1, dtype=np.float64) * 2.0 + 1.0) / float(size_px) - 0.5
    return _view(pints, steps, 2.0 / float(size_px))


def refine(coarse: Plane, size_px: int) -> Plane:
    """From planes (..., h, w) of `coarse_view` to (..., S, S), linear between."""
    for axis in (-1, -2):
        moved = np.moveaxis(coarse, axis, -1)
        middle = moved[..., 1:-1] * 0.75
        pair = np.stack([middle + moved[..., :-2] * 0.25, middle + moved[..., 2:] * 0.25], axis=-1)
        flat = pair.reshape(*pair.shape[:-2], -1)[..., :size_px]
        coarse = np.moveaxis(flat, -1, axis)
    return np.ascontiguousarray(coarse)


def _view(pints: Pints, steps: Numbers, pixel: float) -> View:
    tangent = column(pints.tilt)
    # Cosine and sine of the roll from the tangent of its half: no trigonometry, so the same bits everywhere.
    scale = 1.0 / (1.0 + tangent * tangent)
    cosine, sine = (1.0 - tangent * tangent) * scale, 2.0 * tangent * scale
    across = steps.astype(np.float32)[None, None, :]
    upward = -steps.astype(np.float32)[None, :, None]
    base_elevation = column(pints.elevation) + ELEVATION_GAIN
    return View(
        right=across * cosine + upward * sine,
        up=upward * cosine - across * sine,
        pixel=pixel,
        horizon=column(pints.base_y) + column(pints.glass_height) * base_elevation / ELEVATION_GAIN,
    )


def expose(image: Plane, pints: Pints, seen: View) -> Plane:
    """(n, S, S, 3) uint8 from the scene (n, 3, S, S): light, lens, sensor, compression, in this order."""
    size_px = image.shape[-1]
    radius = seen.right * seen.right + seen.up * seen.up
    vignette = column(noise.uniform(pints.key, "vignette", 0.1, 0.9))
    image *= (_white_balance(pints) * column(pints.exposure)[:, None]) / (1.0 + vignette * radius)[:, None]
    image = _grade(_shoulder(image), pints)
    # Blur is in pictures, so a larger photo spreads it over more pixels: each pass reaches `step` pixels.
    step = max(1, (size_px + 64) // 128)
    for turn in range(4):
        reach = np.float32(step if turn < 2 else 2 * step)
        share = column(pints.blur) * np.float32(size_px) / reach - np.float32(0.0 if turn < 2 else 0.6)
        image = _soften(image, np.clip(share * 0.5, 0.0, 0.5), int(reach))
    image += noise.grain(pints.key, "sensor", size_px) * column(pints.noise_level)[:, None]
    image = compress(np.clip(image, 0.0, 1.0), column(pints.jpeg))
    bytes_ = np.floor(np.clip(image, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return np.ascontiguousarray(np.moveaxis(bytes_, 1, -1))


def _white_balance(pints: Pints) -> Plane:
    """(n, 3, 1, 1) gains: the camera takes out part of the light's colour, and errs."""
    warm = column(pints.warmth) + 0.22 * column(noise.bell(pints.key, "white balance"))
    green = column(pints.green)
    magenta = 0.025 * column(noise.bell(pints.key, "tint"))
    red = 1.0 + 0.1 * (warm - 0.35) - 0.3 * green
    middle = 1.0 - 0.02 * (warm - 0.35) + 0.06 * green - magenta
    blue = 1.0 - 0.24 * (warm - 0.35) - 0.22 * green
    return np.stack([red, middle, blue], axis=1)


def _shoulder(image: Plane) -> Plane:
    """Bright light saturates gently: straight to 0.8, then bent towards 1."""
    excess = np.maximum(image - 0.8, 0.0)
    return np.minimum(image, 0.8) + excess / (1.0 + excess * 4.0)


def _grade(image: Plane, pints: Pints) -> Plane:
    """What a phone does to please: more contrast, more colour."""
    contrast = column(noise.uniform(pints.key, "contrast", 0.15, 0.7))[:, None]
    colour = column(noise.uniform(pints.key, "colour", 0.95, 1.4))[:, None]
    image = image + (image * image * (3.0 - 2.0 * image) - image) * contrast
    grey = image[:, 0:1] * 0.3 + image[:, 1:2] * 0.59 + image[:, 2:3] * 0.11
    return np.maximum(grey + (image - grey) * colour, 0.0)


def _soften(image: Plane, share: Plane, reach: int) -> Plane:
    """Blend each pixel with its neighbours `reach` away, across then down."""
    for axis in (2, 3):
        padded = np.pad(image, [(reach, reach) if i == axis else (0, 0) for i in range(4)], mode="edge")
        low = np.moveaxis(np.moveaxis(padded, axis, 0)[: -2 * reach], 0, axis)
        high = np.moveaxis(np.moveaxis(padded, axis, 0)[2 * reach :], 0, axis)
        image = image + ((low + high) * 0.5 - image) * share[:, None]
    return image
