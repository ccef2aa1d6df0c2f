"""What gets in the way: a hand round the glass, an elbow or a menu in front, a second pint beside."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recipes.guinness import noise
from recipes.guinness.camera import View
from recipes.guinness.glass import Vessel, disc, stand
from recipes.guinness.noise import Plane
from recipes.guinness.pint import Pints
from recipes.guinness.shapes import add_light, column, glow, over, palette, plain, ramp, root

_SKIN = ((0.76, 0.57, 0.48), (0.62, 0.44, 0.35), (0.36, 0.25, 0.20), (0.82, 0.66, 0.58))
_SKIN_WEIGHTS = [5, 3, 3, 5]
_SLEEVES = ((0.07, 0.07, 0.08), (0.12, 0.15, 0.22), (0.30, 0.27, 0.25), (0.26, 0.09, 0.08), (0.1, 0.22, 0.13))
_FINGERS = 4
_Part = Callable[[Plane, Pints, Vessel, NDArray[np.int64]], Plane]


def paint_neighbour(image: Plane, pints: Pints, seen: View) -> Plane:
    """A second pint farther back, out of focus; returns its cover (n, H, W)."""
    cover = np.zeros(seen.right.shape, dtype=np.float32)
    rows = np.flatnonzero(pints.neighbour)
    if not len(rows):
        return cover
    key = pints.key[rows]
    some = View(seen.right[rows], seen.up[rows], seen.pixel * 2.2, seen.horizon[rows])
    shrink = column(noise.uniform(key, "neighbour size", 0.55, 0.8))
    side = column(np.where(noise.chance(key, "neighbour side", 0.5), 1.0, -1.0))
    right = column(pints.centre_x[rows]) + side * column(noise.uniform(key, "neighbour gap", 0.3, 0.46))
    # Foreshortening: what stands farther back has its foot nearer the horizon.
    base = column(pints.base_y[rows])
    up: Plane = np.minimum(some.horizon - (some.horizon - base) * shrink, base + 0.14)
    glass = noise.pick(key, "neighbour glass", [60, 40])
    vessel = stand(some, glass, column(pints.glass_height[rows]) * shrink, (right, up), column(pints.elevation[rows]))
    patch = image[rows]
    light = 0.4 + 0.55 * column(pints.light[rows])
    fill = vessel.top * column(noise.uniform(key, "neighbour fill", 0.55, 1.0))
    head = column(noise.uniform(key, "neighbour head", 8.0, 24.0))
    over(patch, plain(0.7, 0.68, 0.64) * light[:, None], vessel.cover * 0.2)
    body = vessel.cover * ramp(fill - head - vessel.height, vessel.pixel_mm) * ramp(vessel.height - 6.0, 4.0)
    over(patch, plain(0.05, 0.035, 0.03), body)
    surface, _ = disc(vessel, fill, 2.0)
    band = ramp(fill - vessel.height, vessel.pixel_mm) * ramp(vessel.height - fill + head, vessel.pixel_mm)
    foam = np.maximum(vessel.cover * band * (1.0 - body), surface)
    over(patch, plain(0.93, 0.86, 0.74) * (0.35 + light * 0.7)[:, None], foam)
    add_light(patch, plain(0.8, 0.76, 0.7), glow(vessel.side + 0.6, 0.1) * vessel.cover * light * 0.3)
    image[rows] = patch
    cover[rows] = np.maximum(vessel.cover, foam)
    return cover


def paint_palm(image: Plane, pints: Pints, vessel: Vessel) -> Plane:
    """The hand behind the glass and the sleeve it comes from; returns their cover."""
    return _paint_hand(image, pints, vessel, _palm)


def paint_fingers(image: Plane, pints: Pints, vessel: Vessel) -> Plane:
    """Four fingers that reach round the front; returns their cover."""
    return _paint_hand(image, pints, vessel, _fingers)


def paint_occluder(image: Plane, pints: Pints, seen: View) -> Plane:
    """Something close and blurred across a lower corner: an elbow, a menu, a crisp packet; returns its cover."""
    cover = np.zeros(seen.right.shape, dtype=np.float32)
    rows = np.flatnonzero(pints.occluder)
    if not len(rows):
        return cover
    key = pints.key[rows]
    side = column(np.where(noise.chance(key, "occluder side", 0.5), 1.0, -1.0))
    x: Plane = seen.right[rows] * side - column(noise.uniform(key, "occluder right", 0.38, 0.6))
    y = seen.up[rows] + column(noise.uniform(key, "occluder down", 0.42, 0.6))
    slant = column(noise.uniform(key, "occluder slant", 0.2, 1.2))
    shape = ramp(0.26 - root(x * x + y * y * slant), 0.06)
    patch = image[rows]
    light = 0.3 + 0.6 * column(pints.light[rows])
    over(patch, palette(_SLEEVES, noise.pick(key, "occluder colour", [4, 3, 3, 2, 2])) * light[:, None], shape)
    image[rows] = patch
    cover[rows] = shape
    return cover


def _paint_hand(image: Plane, pints: Pints, vessel: Vessel, part: _Part) -> Plane:
    cover = np.zeros_like(vessel.rise)
    rows = np.flatnonzero(pints.hand)
    if not len(rows):
        return cover
    patch = image[rows]
    cover[rows] = part(patch, pints.take(rows), vessel, rows)
    image[rows] = patch
    return cover


def _grip(pints: Pints, vessel: Vessel, rows: NDArray[np.int64]) -> tuple[Plane, Plane, Plane, Plane]:
    """Right of the axis towards the arm; rise above the grip's middle; skin (n, 3, 1, 1); light."""
    side = column(np.where(noise.chance(pints.key, "hand side", 0.75), 1.0, -1.0))
    middle = vessel.top[rows] * column(noise.uniform(pints.key, "grip", 0.26, 0.38))
    skin = palette(_SKIN, noise.pick(pints.key, "hand skin", _SKIN_WEIGHTS))
    light = 0.5 + 0.45 * column(pints.light)
    return vessel.across[rows] * side, vessel.rise[rows] - middle, skin, light


def _palm(patch: Plane, pints: Pints, vessel: Vessel, rows: NDArray[np.int64]) -> Plane:
    x, y, skin, light = _grip(pints, vessel, rows)
    reach = vessel.rim_radius[rows]
    drop = column(noise.uniform(pints.key, "arm drop", 0.1, 0.6))
    arm_y = y + (x - reach) * drop
    arm = ramp(27.0 + 0.08 * x - np.abs(arm_y), 3.0) * ramp(x - reach * 0.9, 6.0)
    palm = ramp(38.0 - root((x - reach * 0.75) * (x - reach * 0.75) + y * y * 0.8), 3.0)
    thumb = ramp(9.0 - np.abs(y - 26.0 - 0.12 * x), 3.0) * ramp(x - 0.2 * reach, 6.0) * ramp(reach * 1.2 - x, 6.0)
    hand = np.maximum(palm, thumb)
    shade = (light * (0.72 + 0.004 * np.clip(y, -40.0, 40.0)))[:, None]
    over(patch, skin * shade, np.maximum(hand, arm))
    sleeve = arm * ramp(x - reach * column(noise.uniform(pints.key, "sleeve", 1.6, 2.4)), 4.0)
    cloth = palette(_SLEEVES, noise.pick(pints.key, "sleeve colour", [5, 3, 3, 2, 2]))
    over(patch, cloth * light[:, None], sleeve)
    cover: Plane = np.maximum(hand, arm)
    return cover


def _fingers(patch: Plane, pints: Pints, vessel: Vessel, rows: NDArray[np.int64]) -> Plane:
    x, y, skin, light = _grip(pints, vessel, rows)
    cover = np.zeros_like(x)
    reach = vessel.rim_radius[rows]
    for finger in range(_FINGERS):
        tip = reach * column(noise.uniform(pints.key, f"finger {finger}", -0.3, 0.1))
        middle = 24.0 - 15.8 * finger
        # A finger bends down a little towards its tip, and tapers.
        off = y - middle - 0.1 * (x - tip)
        beyond = np.minimum(x - tip - 8.0, 0.0)
        distance = root(off * off + beyond * beyond)
        shape = ramp(8.4 - distance, vessel.pixel_mm[rows] * 1.3) * ramp(reach * 1.3 - x, 8.0)
        # Round across, darker towards the back of the hand, with a crease at the joint.
        bend = glow(x - tip - 20.0, 1.8) * 0.22 + np.clip((x - tip) * 0.007, 0.0, 0.32)
        tone = light * np.clip(1.12 - 0.008 * distance * distance + 0.022 * off - bend, 0.3, 1.15)
        over(patch, skin * tone[:, None], shape)
        nail = ramp(4.2 - root(off * off + (x - tip - 4.0) * (x - tip - 4.0) * 0.6), 2.0) * shape
        over(patch, plain(0.92, 0.74, 0.66) * light[:, None], nail * 0.45)
        cover = np.maximum(cover, shape)
    return cover
