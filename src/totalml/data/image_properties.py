"""What a picture looks like in a few numbers, so that pictures of today can be held against those of a release.

Grey values are summed as whole thousandths, which float32 holds exactly, so machine and batch do not change them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float32]
Figures = NDArray[np.float64]

PROPERTIES: tuple[str, ...] = (
    "brightness",
    "contrast",
    "sharpness",
    "noise",
    "colourfulness",
    "entropy",
    "blockiness",
    "warmth",
    "aspect",
)
CHUNK_PIXELS = 1 << 16  # with what is made of them, 3 MB, which stay in a processor's cache
GREY_THOUSANDTHS = (299, 587, 114)  # of red, green and blue: ITU-R BT.601
LEVELS = 256
BLOCK_PX = 8  # of JPEG
# Below this contrast the Laplacian is noise, and dividing by it would call a blank picture sharp.
LEAST_CONTRAST = 1.0


def image_properties(pixels: NDArray[np.uint8], sizes: ArrayLike | None = None) -> dict[str, Values]:
    """Each of `PROPERTIES`, in their order, of every picture; holds a small chunk of them at once, or one picture.

    `brightness`, 0..255: mean of the grey values 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601).
    `contrast`, 0..127.5: their standard deviation.
    `sharpness`, 0..8 or so: deviation of their Laplacian over `contrast`, so that dim light is no blur; 0 if flat. Of
        blurs beyond a few px, it tells only of the rounding to 8 bits.
    `noise`, 0..427 grey values: deviation of white noise that would explain what the Laplacians across and down have in
        common, so fine texture counts as well (Immerkær 1996, Fast noise variance estimation).
    `colourfulness`, 0 (grey) to about 400; 33 is moderate, 109 extreme (Hasler and Süsstrunk 2003).
    `entropy`, 0..8 bits: of the histogram of grey values, rounded to 256 levels.
    `blockiness`, -1..1: (B - A) / (B + A) of the mean steps between neighbours on the lines of a grid of 8 px from the
        top left corner, B, and elsewhere, A (the B and A of Wang, Sheikh and Bovik 2002); 0 if flat. Four photos had
        under 0.04, as JPEGs of quality 75 0.04 to 0.11, of quality 10 0.3 to 0.5. Resizing takes the grid elsewhere
        and this back to where it was (exact halving leaves half of the lines, and a third of this), so it tells of
        JPEGs that reach the model unscaled: a rise means that senders now shrink and compress pictures themselves.
    `warmth`, -255 (blue) to 255 (red): mean of red minus blue, 0 if grey. BGR that is read as RGB turns its sign.
    `aspect`, over 0: width / height of the original; NaN where a side is 0, which is to say unknown.

    Of pictures too small to have it, `sharpness` and `noise` (3 px a side), `blockiness` (9 px) are 0.

    Args:
        pixels: (N, H, W, 3) uint8 RGB, as the model sees them.
        sizes: (N, 2) width and height of the originals in px; None leaves `aspect` out.
    Returns: name -> (N,).
    Raises: ValueError: not such arrays.
    """
    _check(pixels)
    # An empty chunk if there are no pictures, so that each property has its column all the same.
    count = max(1, CHUNK_PIXELS // (pixels.shape[1] * pixels.shape[2]))
    parts = [_measured(pixels[start : start + count]) for start in range(0, max(1, len(pixels)), count)]
    columns = [*np.concatenate(parts, axis=1)]
    if sizes is not None:
        columns.append(_aspect(sizes, len(pixels)))
    return dict(zip(PROPERTIES, columns, strict=False))


def grey_values(pixels: NDArray[np.uint8]) -> Values:
    """(N, H, W, 3) uint8 -> (N, H, W) luma in 0..255."""
    return _grey(_colours(pixels))


def contrast_and_sharpness(grey: Values) -> tuple[Figures, Figures]:
    """(N, H, W) in 0..255 -> (N,) and (N,), as `image_properties` says."""
    _, contrast = _mean_and_deviation(grey)
    down, across = _steps(grey)
    return contrast, _sharpness(down, _bends(across), contrast)


def _check(pixels: NDArray[np.uint8]) -> None:
    kind, shape = getattr(pixels, "dtype", type(pixels).__name__), np.shape(pixels)
    if kind != np.uint8 or len(shape) != 4 or shape[3] != 3 or 0 in shape[1:3]:
        raise ValueError(
            f"pixels are {kind} {shape}; expected uint8 (N, height, width, 3) of at least 1 px a side. "
            "Give pictures as the model sees them, one alone as pixels[None]."
        )


def _aspect(sizes: ArrayLike, count: int) -> Values:
    sides = np.asarray(sizes, np.float64)
    if count == 0 and sides.size == 0:
        return np.zeros(0, np.float32)
    if sides.shape != (count, 2) or not (sides >= 0).all():
        raise ValueError(
            f"sizes have shape {sides.shape}; expected ({count}, 2) for {count} pictures: width and height in px, "
            "none below 0. Give 0 where nobody knows."
        )
    known = (sides > 0).all(axis=1)
    return np.divide(sides[:, 0], sides[:, 1], out=np.full(count, np.nan), where=known).astype(np.float32)


def _measured(pixels: NDArray[np.uint8]) -> Values:
    """(8, N), in the order of `PROPERTIES`."""
    planes = _colours(pixels)
    grey = _grey(planes)
    down, across = _steps(grey)
    # In the place of the colours, and measured at once: fresh memory and calls are what one small picture waits for.
    first, second, third = planes
    first -= second  # red - green
    second += first * np.float32(0.5)
    second -= third  # (red + green) / 2 - blue
    third[...] = grey
    means, deviations = _mean_and_deviation(planes.reshape(-1, *grey.shape[1:]))
    rg_mean, yb_mean, brightness = means.reshape(3, len(pixels))
    rg_deviation, yb_deviation, contrast = deviations.reshape(3, len(pixels))
    bends = _bends(across)
    sharpness, noise = _sharpness(down, bends, contrast), _noise(bends)
    colourfulness = np.hypot(rg_deviation, yb_deviation) + 0.3 * np.hypot(rg_mean, yb_mean)
    entropy, blockiness = _entropy(grey), _blockiness(down, across)
    # (red + green) / 2 - blue + (red - green) / 2
    warmth = yb_mean + rg_mean / 2
    return np.array([brightness, contrast, sharpness, noise, colourfulness, entropy, blockiness, warmth], np.float32)


def _colours(pixels: NDArray[np.uint8]) -> Values:
    """(N, H, W, 3) -> (3, N, H, W), each colour in one piece of memory."""
    colours = np.empty((3, *pixels.shape[:3]), np.float32)
    colours[...] = np.moveaxis(pixels, 3, 0)
    return colours


def _grey(colours: Values) -> Values:
    red, green, blue = (np.float32(weight) for weight in GREY_THOUSANDTHS)
    grey: Values = colours[0] * red
    grey += colours[1] * green
    grey += colours[2] * blue
    grey /= np.float32(sum(GREY_THOUSANDTHS))
    return grey


def _mean_and_deviation(planes: Values) -> tuple[Figures, Figures]:
    """(N, H, W) -> (N,) and (N,) the standard deviation; sums of rows in float32, and of these in float64."""
    size = planes.shape[1] * planes.shape[2]
    mean = np.add.reduce(np.einsum("nhw->nh", planes), axis=1, dtype=np.float64) / size
    apart = planes - mean.astype(np.float32)[:, None, None]
    square = np.add.reduce(np.einsum("nhw,nhw->nh", apart, apart), axis=1, dtype=np.float64)
    return mean, np.sqrt(square / size)


def _steps(grey: Values) -> tuple[Values, Values]:
    """(N, H - 1, W) and (N, H, W - 1): to the neighbour below, and to the one on the right."""
    return grey[:, 1:] - grey[:, :-1], grey[:, :, 1:] - grey[:, :, :-1]


def _bends(across: Values) -> Values:
    """(N, H, W - 2), empty if W is less: how each step differs from the one before."""
    return across[:, :, 1:] - across[:, :, :-1]


def _sharpness(down: Values, bends: Values, contrast: Figures) -> Figures:
    if min(bends.shape[1] - 2, bends.shape[2]) < 1:
        return np.zeros(len(bends))
    laplacian = bends[:, 1:-1] + down[:, 1:, 1:-1]
    laplacian -= down[:, :-1, 1:-1]
    _, deviation = _mean_and_deviation(laplacian)
    return deviation / np.maximum(contrast, LEAST_CONTRAST)


def _noise(bends: Values) -> Figures:
    if min(bends.shape[1] - 2, bends.shape[2]) < 1:
        return np.zeros(len(bends))
    bends = bends[:, 1:] - bends[:, :-1]
    bends = bends[:, 1:] - bends[:, :-1]
    total = np.add.reduce(np.abs(bends, out=bends), axis=(1, 2))
    # The weights of one Laplacian after the other have a norm of 6; a normal value is sqrt(2 / pi) from its mean.
    return total / (6 * math.sqrt(2 / math.pi) * bends.shape[1] * bends.shape[2])


def _entropy(grey: Values) -> Figures:
    count, pixels = len(grey), grey.shape[1] * grey.shape[2]
    levels = np.rint(grey).astype(np.intp).reshape(count, pixels)
    levels += LEVELS * np.arange(count)[:, None]
    shares = np.bincount(levels.ravel(), minlength=LEVELS * count).reshape(count, LEVELS) / pixels
    return np.abs(np.add.reduce(shares * np.log2(np.where(shares > 0, shares, 1)), axis=1))


def _blockiness(down: Values, across: Values) -> Figures:
    count, height, width = len(down), across.shape[1], down.shape[2]
    every = (height - 1) * width + (width - 1) * height
    lines = (height - 1) // BLOCK_PX * width + (width - 1) // BLOCK_PX * height
    if lines == 0:
        return np.zeros(count)
    steps = np.add.reduce(np.abs(down), axis=2), np.add.reduce(np.abs(across), axis=1)
    on_lines = sum(np.add.reduce(step[:, BLOCK_PX - 1 :: BLOCK_PX], axis=1, dtype=np.float64) for step in steps)
    total = sum(np.add.reduce(step, axis=1, dtype=np.float64) for step in steps)
    at, elsewhere = on_lines / lines, (total - on_lines) / (every - lines)
    both = at + elsewhere
    return np.divide(at - elsewhere, both, out=np.zeros(count), where=both > 0)
