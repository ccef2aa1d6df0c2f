"""Foam gone wrong: frog-eye bubbles in the head, and spill down the outside."""

import numpy as np

from recipes.guinness import noise
from recipes.guinness.glass import Vessel
from recipes.guinness.noise import Plane, look_up
from recipes.guinness.pint import Pints
from recipes.guinness.shapes import column, glow, over, plain, ramp, root

_CELLS = 32
# A bubble's cell is this much wider than the largest bubble.
_CELL_OVER_BUBBLE = 1.25
_STREAKS = 9


def paint_bubbles(image: Plane, vessel: Vessel, pints: Pints, head: Plane) -> None:
    """Frog eyes: one bubble a cell, a dark ring about a dim pool with a glint; below 1.5 mm none shows."""
    rows = np.flatnonzero(pints.bubble_mm > 1.5)
    if not len(rows):
        return
    key = pints.key[rows]
    cell = column(pints.bubble_mm[rows]) * _CELL_OVER_BUBBLE
    place_x, place_y = vessel.across[rows] / cell + 16.0, vessel.rise[rows] / cell
    floor_x, floor_y = np.floor(place_x), np.floor(place_y)
    column_number = np.clip(floor_x, 0, _CELLS - 1).astype(np.int32)
    row_number = np.clip(floor_y, 0, _CELLS - 1).astype(np.int32)
    shift_x, shift_y, size, present = (
        look_up(noise.lattice(key, f"bubbles {name}", _CELLS, _CELLS), row_number, column_number)
        for name in ("x", "y", "size", "present")
    )
    # Half the cell is left for the bubble to wander in.
    radius = (0.26 + 0.16 * size) * cell
    off_x = (place_x - floor_x - 0.5 - (shift_x - 0.5) * 0.22) * cell
    off_y = (place_y - floor_y - 0.5 - (shift_y - 0.5) * 0.22) * cell
    distance = root(off_x * off_x + off_y * off_y)
    pixel = vessel.pixel_mm[rows]
    cover = ramp(radius - distance, pixel) * head[rows] * (present < 0.78).astype(np.float32)
    patch = image[rows]
    inner = patch * np.asarray([0.74, 0.63, 0.49], dtype=np.float32)[None, :, None, None]
    over(patch, inner, cover)
    ring = glow(radius - distance - 0.25 * radius, 0.3 * radius) * cover
    over(patch, plain(0.36, 0.24, 0.14), ring * 0.55)
    off_x, off_y = off_x + 0.3 * radius, off_y - 0.3 * radius
    glint = glow(root(off_x * off_x + off_y * off_y), 0.25 * radius) * cover
    over(patch, plain(1.0, 0.98, 0.92), glint * 0.6)
    image[rows] = patch


def paint_spill(image: Plane, vessel: Vessel, pints: Pints, cream: Plane, room: Plane) -> Plane:
    """Streaks of foam from the rim down the outside, and a pool about the foot; returns their cover (n, H, W)."""
    cover = np.zeros_like(vessel.rise)
    rows = np.flatnonzero(pints.spill > 0.02)
    if not len(rows):
        return cover
    key, spill = pints.key[rows], column(pints.spill[rows])
    some = vessel.take(rows)
    side, height, top = some.side, some.height, some.top
    wave = noise.smooth_noise(noise.lattice(key, "streak wave", 16, 4), height * 0.05, side + 2.0)
    angle = side * (1.0 + 0.2 * side * side) * (_STREAKS * 0.4) + _STREAKS * 0.5 + (wave - 0.5) * 0.7
    cell = np.clip(np.floor(angle), 0, _STREAKS - 1).astype(np.int32)
    first = np.zeros_like(cell)
    length = look_up(noise.lattice(key, "streak length", 1, _STREAKS), first, cell)
    width = look_up(noise.lattice(key, "streak width", 1, _STREAKS), first, cell)
    # Two streaks in three run, some to the foot; a slight spill makes short, thin ones.
    reach = top * spill * np.clip(length * 2.6 - 0.8, 0.0, 1.2)
    fallen = top - height
    middle = np.abs(angle - np.floor(angle) - 0.5 - (width - 0.5) * 0.45)
    # Thick at its drop, thin on the way: 0 at the rim to 1 at the drop.
    way = np.clip(fallen / (reach + 1.0), 0.0, 1.0)
    taper = (0.2 + 0.32 * width) * np.clip(spill * 2.0, 0.0, 1.0) * (1.1 - way * (1.5 - 1.3 * way * way))
    pixel = some.pixel_mm
    streak = ramp(taper - middle, 0.22) * ramp(reach - fallen, pixel * 2.0) * some.cover
    collar = ramp(7.0 * spill - fallen, pixel * 2.0) * some.cover * (spill > 0.3).astype(np.float32)
    pool = _pool(some, spill)
    patch = image[rows]
    tone = cream * plain(0.97, 0.93, 0.86) * (room[rows] * (0.86 + 0.1 * some.facing))[:, None]
    over(patch, tone, np.maximum(streak * (0.6 + 0.35 * width), collar * 0.9))
    over(patch, tone * 0.85, pool * 0.75)
    image[rows] = patch
    cover[rows] = np.maximum(np.maximum(streak, collar), pool)
    return cover


def _pool(vessel: Vessel, spill: Plane) -> Plane:
    """A ring of froth on the bar about the foot, in front of it."""
    floor = np.zeros_like(vessel.top)
    radius = vessel.radius_at(floor) * (1.0 + 0.28 * spill)
    flat = vessel.rise / vessel.elevation_at(floor)
    distance = root(vessel.across * vessel.across + flat * flat)
    front = ramp(4.0 - vessel.rise, vessel.pixel_mm)
    return ramp(radius - distance, 5.0) * (1.0 - vessel.cover) * front * ramp(spill - 0.5, 0.2)
