"""The traces of JPEG: 8x8 blocks in luma and half-size chroma, each cosine rounded to a coarse step.

Written as sums in a fixed order with literal cosines, as a library's encoder differs between its versions.
"""

import numpy as np

from recipes.guinness.noise import Plane

# cos(k pi / 16) / 2 for k = 1..7, and sqrt(1/8) for the mean: an orthonormal transform.
_C1, _C2, _C3 = 0.49039264, 0.46193977, 0.41573481
_C4, _C5, _C6, _C7 = 0.35355339, 0.27778512, 0.19134172, 0.09754516
_EVEN = ((_C4, _C4, _C4, _C4), (_C2, _C6, -_C6, -_C2), (_C4, -_C4, -_C4, _C4), (_C6, -_C2, _C2, -_C6))
_ODD = ((_C1, _C3, _C5, _C7), (_C3, -_C7, -_C1, -_C5), (_C5, -_C1, _C7, _C3), (_C7, -_C5, _C3, -_C1))


def compress(image: Plane, coarseness: Plane) -> Plane:
    """(n, 3, S, S) in 0..1 as decoded after compression; `coarseness` (n, 1, 1) 1 is quality 85 or so."""
    size_px = image.shape[-1]
    # Blocks of chroma span 16 pixels.
    margin = -size_px % 16
    padded = np.pad(image, ((0, 0), (0, 0), (0, margin), (0, margin)), mode="edge") if margin else image
    red, green, blue = padded[:, 0], padded[:, 1], padded[:, 2]
    luma = red * 0.299 + green * 0.587 + blue * 0.114
    chroma = np.concatenate([_halve((blue - luma) * 0.564), _halve((red - luma) * 0.713)])
    luma = _blocks(luma, coarseness * 0.045)
    chroma = _double(_blocks(chroma, np.concatenate([coarseness, coarseness]) * 0.07))
    blue_less, red_less = chroma[: len(luma)], chroma[len(luma) :]
    green_part = luma - red_less * 0.714 - blue_less * 0.344
    decoded = np.stack([luma + red_less * 1.403, green_part, luma + blue_less * 1.773], axis=1)
    return decoded[:, :, :size_px, :size_px]


def _blocks(plane: Plane, step: Plane) -> Plane:
    """Transform each 8x8 block, round, and transform back; steps grow with the frequency."""
    count, height, width = plane.shape
    # (8, 8, n * blocks): the place within the block comes first, so that every row is one long vector.
    tiles = plane.reshape(count, height // 8, 8, width // 8, 8).transpose(2, 4, 0, 1, 3).reshape(8, 8, count, -1)
    waves = _forward(_forward(tiles).swapaxes(0, 1))
    order = np.arange(8, dtype=np.float32)
    grade = 0.5 + 0.25 * (order[:, None] + order[None, :])
    steps = grade[:, :, None, None] * step[None, None, :, :, 0]
    waves = np.floor(waves / steps + 0.5) * steps
    tiles = _backward(_backward(waves).swapaxes(0, 1))
    restored = tiles.reshape(8, 8, count, height // 8, width // 8).transpose(2, 3, 0, 4, 1)
    return np.ascontiguousarray(restored).reshape(count, height, width)


def _forward(tiles: Plane) -> Plane:
    """Cosine transform along the first axis (8); sums of mirrored pairs halve the work."""
    waves = np.empty(tiles.shape, dtype=np.float32)
    sums, gaps = tiles[:4] + tiles[:3:-1], tiles[:4] - tiles[:3:-1]
    for row in range(4):
        waves[2 * row] = _weigh(sums, _EVEN[row])
        waves[2 * row + 1] = _weigh(gaps, _ODD[row])
    return waves


def _backward(waves: Plane) -> Plane:
    """Inverse of `_forward`: the same weights, transposed."""
    tiles = np.empty(waves.shape, dtype=np.float32)
    for place in range(4):
        even = _weigh(waves[0::2], tuple(row[place] for row in _EVEN))
        odd = _weigh(waves[1::2], tuple(row[place] for row in _ODD))
        tiles[place], tiles[7 - place] = even + odd, even - odd
    return tiles


def _weigh(parts: Plane, weights: tuple[float, ...]) -> Plane:
    weighed: Plane = ((parts[0] * weights[0] + parts[1] * weights[1]) + parts[2] * weights[2]) + parts[3] * weights[3]
    return weighed


def _halve(plane: Plane) -> Plane:
    top, low = plane[:, 0::2], plane[:, 1::2]
    mean: Plane = ((top[:, :, 0::2] + top[:, :, 1::2]) + (low[:, :, 0::2] + low[:, :, 1::2])) * 0.25
    return mean


def _double(plane: Plane) -> Plane:
    return np.repeat(np.repeat(plane, 2, axis=1), 2, axis=2)
