"""The beer in the glass: a black body with ruby light, the brown cloud of a fresh pour, and the cream on top."""

from dataclasses import dataclass

import numpy as np

from recipes.guinness import badge, foam, noise
from recipes.guinness.glass import Vessel, disc, foot_mm, wall_mm
from recipes.guinness.noise import Plane
from recipes.guinness.pint import PLASTIC, Pints
from recipes.guinness.shapes import blend, column, glow, over, plain, ramp, root

# Guinness in thin layers is ruby, in thick ones black: SRM 25 is #231716 and 30+ #050B0A (homebrewtalk.com 78018).
_BLACK, _RUBY, _SURGE = plain(0.042, 0.032, 0.026), plain(0.50, 0.07, 0.035), plain(0.50, 0.285, 0.135)
_CUP = plain(0.34, 0.205, 0.115)
# Head of the photos we measured: 236 223 204.
CREAM = plain(0.985, 0.935, 0.865)
_SHADE = plain(0.66, 0.49, 0.33)


@dataclass(frozen=True)
class Filled:
    """What the beer covers, each (n, H, W) in 0..1: body, head (with its dome); the level of its edge (n, 1, 1)."""

    body: Plane
    head: Plane
    level: Plane


def paint_beer(image: Plane, vessel: Vessel, pints: Pints, room: Plane) -> Filled:
    """Fill the vessel in place; `room` (n, 1, 1) is the brightness of the light on the head."""
    level = vessel.top - column(pints.line_mm + pints.short_mm)
    border = level - column(pints.head_mm)
    haze = 1.0 - column(pints.settle)
    swirl = noise.smooth_noise(
        noise.lattice(pints.key, "swirl", 16, 16), vessel.height * 0.055, vessel.side * 2.2 + 8.0
    )
    border = border + (swirl - 0.5) * haze * 5.0
    inside = vessel.cover * ramp(vessel.radius - wall_mm(pints) * 0.75 - np.abs(vessel.across), vessel.pixel_mm)
    # A fresh pour has no clean line between body and head.
    softness = vessel.pixel_mm + haze * 9.0
    above = ramp(vessel.height - border, softness)
    filled = inside * ramp(level - vessel.height, vessel.pixel_mm)
    floor = foot_mm(pints) + 1.5 * (1.0 - vessel.facing)
    body = filled * (1.0 - above) * ramp(vessel.height - floor, vessel.pixel_mm)
    over(image, _body_colour(vessel, pints, border, haze, swirl), body)
    surface, depth = disc(vessel, level, column(pints.dome_mm))
    side_head = filled * above
    colour = _head_colour(vessel, pints, border, room, haze)
    over(image, colour, side_head)
    over(image, colour * (0.97 + 0.02 * np.clip(depth, -1.0, 2.0))[:, None], surface)
    head = np.maximum(side_head, surface)
    edge = glow(vessel.height - level, vessel.pixel_mm * 0.8) * side_head
    over(image, _SHADE, edge * 0.22)
    foam.paint_bubbles(image, vessel, pints, head)
    _paint_badge(image, vessel, pints, body, side_head)
    return Filled(body=body, head=head, level=level)


def _body_colour(vessel: Vessel, pints: Pints, border: Plane, haze: Plane, swirl: Plane) -> Plane:
    """(n, 3, H, W): ruby where light comes through thin beer, a brown cloud that sinks when freshly poured."""
    plastic = column(pints.glass == PLASTIC)
    lit = column(noise.uniform(pints.key, "ruby", 0.15, 1.2)) * (0.45 + 0.7 * column(pints.light))
    near_foot = glow(vessel.height - foot_mm(pints), vessel.top * 0.07)
    rim = 1.0 - vessel.facing
    through = lit * (near_foot * 0.7 + rim * rim * 0.42)
    lean = column(noise.uniform(pints.key, "ruby side", -1.0, 1.0))
    through = through * np.clip(0.7 + 0.5 * lean * vessel.side, 0.0, 1.3)
    colour = blend(_BLACK, _RUBY, np.clip(through, 0.0, 0.8)[:, None])
    # Thin cups let light through all over; their ribs catch it.
    ribs = np.abs(vessel.side * 9.0 - np.floor(vessel.side * 9.0) - 0.5) * ramp(vessel.top * 0.55 - vessel.height, 8.0)
    colour = blend(colour, _CUP, (plastic * (0.55 + 0.7 * ribs) * (0.4 + 0.4 * vessel.facing))[:, None])
    # The cloud reaches down from the head: nearly to the foot right after the pour.
    depth = np.clip((border - vessel.height) / vessel.top, 0.0, 1.0)
    reach = 0.2 + 0.72 * haze
    fade = np.clip(1.0 - depth / reach, 0.0, 1.0)
    cloud = np.clip(haze * 2.0, 0.0, 1.0) * fade * (0.72 + 0.5 * swirl)
    lit_side = 0.75 + 0.25 * vessel.facing
    return blend(colour, _SURGE * lit_side[:, None], np.clip(cloud, 0.0, 1.0)[:, None])


def _head_colour(vessel: Vessel, pints: Pints, border: Plane, room: Plane, haze: Plane) -> Plane:
    """(n, 3, H, W): cream, shaded towards the dark side and a little towards the beer."""
    lean = column(noise.uniform(pints.key, "light side", -1.0, 1.0))
    shade = np.clip(1.0 + 0.16 * lean * vessel.side - 0.24 * (1.0 - vessel.facing), 0.5, 1.1)
    speckle = noise.smooth_noise(
        noise.lattice(pints.key, "cream", 32, 32), vessel.rise * 0.6, vessel.across * 0.6 + 64.0
    )
    tan = glow(vessel.height - border, 2.0 + haze * 10.0) * (0.3 + 0.35 * haze)
    colour = blend(CREAM, _SHADE, tan[:, None])
    return colour * (shade * (0.965 + 0.07 * speckle) * room)[:, None]


def _paint_badge(image: Plane, vessel: Vessel, pints: Pints, body: Plane, head: Plane) -> None:
    """Gold harp and white letters where they face the camera; on the cream both are a darker gold."""
    squared = vessel.side * vessel.side
    # The first terms of the arc sine; the edge, where it fails, shows no print.
    angle = vessel.side * (1.0 + squared * (0.1667 + squared * 0.075))
    below = vessel.top * 0.855 - vessel.height
    ink = badge.ink((angle - column(pints.turn)) * vessel.radius, below)
    letters = ramp(below / badge.CELL_MM - badge.LETTER_TOP_ROW + 1.0, 0.5)[:, None]
    light = (0.72 + 0.3 * column(pints.light))[:, None]
    over(image, blend(badge.GOLD, badge.WHITE, letters) * light, ink * body * 0.95)
    over(image, blend(badge.GOLD, _SHADE, letters * 0.5) * 0.8, ink * head * 0.75)


def paint_short(image: Plane, vessel: Vessel, pints: Pints, level: Plane) -> None:
    """Where the head lies below the rim: the far wall's shadow on it, and lacing left on the wall above."""
    rows = np.flatnonzero(pints.line_mm + pints.short_mm > 1.0)
    if not len(rows):
        return
    some, below, patch = vessel.take(rows), level[rows], image[rows]
    surface, depth = disc(some, below)
    shadow = np.clip(some.top - below, 0.0, 8.0) * 0.06 * root(1.0 - some.facing) * surface
    over(patch, _SHADE * 0.6, shadow * np.clip(depth, 0.0, 1.0))
    table = noise.lattice(pints.key[rows], "lacing", 16, 16)
    web = noise.smooth_noise(table, some.height * 0.2, some.side * 4.0 + 8.0)
    fine = noise.smooth_noise(table, some.side * 11.0 + 8.0, some.height * 0.7)
    above = some.height - below
    band = ramp(above, some.pixel_mm) * some.cover * glow(above, 16.0)
    strands = ramp(web * 0.6 + fine * 0.5 - 0.74 + 0.28 * column(pints.lacing[rows]), 0.3) * band * 0.6
    over(patch, CREAM * (0.55 + 0.4 * column(pints.light[rows]))[:, None], strands)
    image[rows] = patch
