"""The strokes that every painter uses: soft edges, falloffs, composites, in float32 and plain arithmetic only.

Only + - * / sqrt, comparisons and floor: they round alike on every processor; sin, exp and sums do not.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recipes.guinness.noise import Numbers, Plane


def column(values: Numbers | NDArray[np.int64] | NDArray[np.bool_]) -> Plane:
    """(N,) as float32 (N, 1, 1), to stand against planes."""
    return np.asarray(values, dtype=np.float32)[:, None, None]


def ramp(distance: Plane, softness: Plane | float) -> Plane:
    """0 outside, 1 inside, linear over `softness` around distance 0."""
    return np.clip(distance / softness + 0.5, 0.0, 1.0)


def glow(distance: Plane | float, width: Plane | float) -> Plane:
    """1 at distance 0, falling like a bell with long tails: 1 / (1 + (d/w)^2)^2."""
    ratio: Plane = np.asarray(distance / width)
    fall = 1.0 / (1.0 + ratio * ratio)
    return fall * fall


def root(value: Plane) -> Plane:
    """Square root, 0 for what lies below 0."""
    return np.sqrt(np.maximum(value, 0.0))


def over(image: Plane, colour: Plane, alpha: Plane) -> None:
    """Paint `colour` (n, 3, 1, 1) or (n, 3, H, W) onto `image` (n, 3, H, W) in place, by `alpha` (n, H, W)."""
    image += (colour - image) * alpha[:, None]


def add_light(image: Plane, colour: Plane, amount: Plane) -> None:
    """Add light of `colour` (n, 3, 1, 1) to `image` in place; `amount` is (n, H, W)."""
    image += colour * amount[:, None]


def plain(red: float, green: float, blue: float) -> Plane:
    """One colour for all, (1, 3, 1, 1)."""
    return np.asarray([red, green, blue], dtype=np.float32)[None, :, None, None]


def palette(colours: Sequence[Sequence[float]], row: NDArray[np.int64]) -> Plane:
    """(N, 3, 1, 1) the palette's colour of each pint."""
    return np.asarray(colours, dtype=np.float32)[row][:, :, None, None]


def blend(low: Plane, high: Plane, share: Plane) -> Plane:
    """From `low` at share 0 to `high` at 1."""
    blended: Plane = low + (high - low) * share
    return blended
