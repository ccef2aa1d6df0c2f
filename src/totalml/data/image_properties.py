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
CHUNK_PIXELS = 1 << 17  # with what is made of them, 4 MB; of fewer the calls take longer than the numbers
PLANES = 7  # of the memory in which a chunk is measured
PAGE, APART = 1024, 64  # float32 of 4 KB, and by how many more than whole pages a plane lies behind the last one
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
    # Taken once: memory that is fresh for each step costs as much as the step.
    room = _planes(PLANES, (min(count, len(pixels)), *pixels.shape[1:3]))
    parts = [_measured(pixels[start : start + count], room) for start in range(0, max(1, len(pixels)), count)]
    columns = [*np.concatenate(parts, axis=1)]
    if sizes is not None:
        columns.append(_aspect(sizes, len(pixels)))
    return dict(zip(PROPERTIES, columns, strict=False))


def grey_values(pixels: NDArray[np.uint8]) -> Values:
    """(N, H, W, 3) uint8 -> (N, H, W) luma in 0..255."""
    room = _planes(5, pixels.shape[:3])
    room[:3] = np.moveaxis(pixels, 3, 0)
    return _grey(room[:3], room[3], room[4]).copy()


def contrast_and_sharpness(grey: Values) -> tuple[Figures, Figures]:
    """(N, H, W) in 0..255 -> (N,) and (N,), as `image_properties` says."""
    steps, bends, sags = _planes(3, grey.shape)
    _, contrast = _mean_and_deviation(grey, steps)
    _across(_across(grey, steps), bends)
    _down(_down(grey, steps), sags)
    return contrast, _sharpness(bends, sags, contrast, steps)


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


def _planes(count: int, shape: tuple[int, ...]) -> Values:
    """(count, *shape) of what was there. Whole pages apart, a processor takes what it reads of one plane for what it
    has just written to another, and waits: three to six times as long for each step.
    """
    size = math.prod(shape)
    return np.empty((count, -(-size // PAGE) * PAGE + APART), np.float32)[:, :size].reshape(count, *shape)


def _measured(pixels: NDArray[np.uint8], room: Values) -> Values:
    """(8, N), in the order of `PROPERTIES`.

    Args: room: (PLANES, N or more, H, W), in which each step writes over what no later one needs.
    """
    room = room[:, : len(pixels)]
    first, second, third, grey, spare, *_ = room
    room[:3] = np.moveaxis(pixels, 3, 0)
    _grey(room[:3], grey, spare)
    _oppose(room[:3], spare)
    # At once, as calls are what one small picture waits for.
    means, deviations = _mean_and_deviation(room[1:4], room[4:7])
    rg_mean, yb_mean, brightness = means
    rg_deviation, yb_deviation, contrast = deviations
    colourfulness = np.hypot(rg_deviation, yb_deviation) + 0.3 * np.hypot(rg_mean, yb_mean)
    entropy = _entropy(grey, spare)
    across, down = _across(grey, first), _down(grey, second)
    bends, sags = _across(across, third), _down(down, grey)
    sharpness, noise = _sharpness(bends, sags, contrast, spare), _noise(bends, spare)
    blockiness = _blockiness(across, down)
    warmth = yb_mean + rg_mean / 2  # (red + green) / 2 - blue + (red - green) / 2
    return np.array([brightness, contrast, sharpness, noise, colourfulness, entropy, blockiness, warmth], np.float32)


def _grey(colours: Values, out: Values, spare: Values) -> Values:
    """Args: colours: (3, N, H, W) red, green and blue."""
    red, green, blue = (np.float32(weight) for weight in GREY_THOUSANDTHS)
    np.multiply(colours[0], red, out=out)
    out += np.multiply(colours[1], green, out=spare)
    out += np.multiply(colours[2], blue, out=spare)
    out /= np.float32(sum(GREY_THOUSANDTHS))
    return out


def _oppose(colours: Values, spare: Values) -> None:
    """Turn green into red - green, and blue into (red + green) / 2 - blue."""
    red, green, blue = colours
    np.add(red, green, out=spare)
    np.subtract(red, green, out=green)
    spare *= np.float32(0.5)
    np.subtract(spare, blue, out=blue)


def _mean_and_deviation(planes: Values, spare: Values) -> tuple[Figures, Figures]:
    """(..., H, W) -> (...) and (...) the standard deviation."""
    size = planes.shape[-2] * planes.shape[-1]
    mean = _total(planes) / size
    apart = np.subtract(planes, mean.astype(np.float32)[..., None, None], out=spare)
    return mean, np.sqrt(_total_of_squares(apart) / size)


def _total(planes: Values) -> Figures:
    """(..., H, W) -> (...) sums; of rows in float32, and of these in float64."""
    return np.add.reduce(np.einsum("...w->...", planes), axis=-1, dtype=np.float64)


def _total_of_squares(planes: Values) -> Figures:
    """As `_total`."""
    return np.add.reduce(np.einsum("...w,...w->...", planes, planes), axis=-1, dtype=np.float64)


def _across(planes: Values, out: Values) -> Values:
    """(N, H, W): what stands on the right, minus each; nothing stands there of the last column, which is of no use."""
    return _steps(planes, 1, out)


def _down(planes: Values, out: Values) -> Values:
    """(N, H, W): what stands below, minus each; so here of the last row."""
    return _steps(planes, planes.shape[2], out)


def _steps(planes: Values, far: int, out: Values) -> Values:
    """In one go through all of the memory: row by row, those of a small picture take twice as long."""
    flat, steps = planes.reshape(-1), out.reshape(-1)
    np.subtract(flat[far:], flat[:-far], out=steps[:-far])
    steps[-far:] = 0
    return out


def _sharpness(bends: Values, sags: Values, contrast: Figures, spare: Values) -> Figures:
    """Args: bends, sags: how each step across, and down, differs from the one before."""
    count, height, width = bends.shape
    if min(height, width) < 3:
        return np.zeros(count)
    # Of a pixel with all its neighbours, which are those of its row's first bend and its column's first sag.
    np.add(bends.reshape(-1)[width:-1], sags.reshape(-1)[1:-width], out=spare.reshape(-1)[: -width - 1])
    laplacian, size = spare[:, :-2, :-2], (height - 2) * (width - 2)
    mean, mean_square = _total(laplacian) / size, _total_of_squares(laplacian) / size
    # Its mean tells of the rims alone and is small, so that nothing is lost by taking it off at the end.
    return np.sqrt(np.maximum(mean_square - mean**2, 0)) / np.maximum(contrast, LEAST_CONTRAST)


def _noise(bends: Values, spare: Values) -> Figures:
    """Args: bends: no longer needed after it."""
    count, height, width = bends.shape
    if min(height, width) < 3:
        return np.zeros(count)
    twice = _down(_down(bends, spare), bends)
    total = _total(np.abs(twice, out=twice)[:, :-2, :-2])
    # The weights of one Laplacian after the other have a norm of 6; a normal value is sqrt(2 / pi) from its mean.
    return total / (6 * math.sqrt(2 / math.pi) * (height - 2) * (width - 2))


def _entropy(grey: Values, spare: Values) -> Figures:
    from PIL import Image

    levels = np.rint(grey, out=spare).astype(np.uint8)
    # Pillow counts bytes twice as fast as numpy, which first makes them whole numbers of 64 bits.
    counts = np.array([Image.fromarray(each).histogram() for each in levels])
    shares = counts.reshape(-1, LEVELS) / (grey.shape[1] * grey.shape[2])
    return np.abs(np.add.reduce(shares * np.log2(np.where(shares > 0, shares, 1)), axis=1))


def _blockiness(across: Values, down: Values) -> Figures:
    """Args: across, down: no longer needed after it."""
    count, height, width = across.shape
    every = (height - 1) * width + (width - 1) * height
    lines = (height - 1) // BLOCK_PX * width + (width - 1) // BLOCK_PX * height
    if lines == 0:
        return np.zeros(count)
    steps = np.einsum("nhw->nw", np.abs(across, out=across)), np.einsum("nhw->nh", np.abs(down, out=down))
    sums = [step[:, :-1].astype(np.float64) for step in steps]
    on_lines = sum(np.add.reduce(step[:, BLOCK_PX - 1 :: BLOCK_PX], axis=1) for step in sums)
    total = sum(np.add.reduce(step, axis=1) for step in sums)
    at, elsewhere = on_lines / lines, (total - on_lines) / (every - lines)
    both = at + elsewhere
    return np.divide(at - elsewhere, both, out=np.zeros(count), where=both > 0)
