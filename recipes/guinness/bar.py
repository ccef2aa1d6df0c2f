"""The bar top: wood or stone in perspective, the mat, shadows and mirror images."""

import numpy as np

from recipes.guinness import noise
from recipes.guinness.camera import ELEVATION_GAIN, View
from recipes.guinness.glass import Vessel
from recipes.guinness.noise import Plane
from recipes.guinness.pint import Pints
from recipes.guinness.shapes import add_light, column, glow, over, palette, plain, ramp

# Mahogany, oak, dark oak, pine, slate, marble, black lacquer: seen on the photos.
_TOPS = (
    (0.34, 0.13, 0.06),
    (0.52, 0.32, 0.15),
    (0.20, 0.10, 0.055),
    (0.66, 0.46, 0.26),
    (0.22, 0.22, 0.23),
    (0.62, 0.58, 0.52),
    (0.07, 0.06, 0.06),
)
_TOP_WEIGHTS = [28, 20, 20, 12, 6, 5, 9]
_MATS = ((0.75, 0.72, 0.66), (0.10, 0.10, 0.11), (0.16, 0.26, 0.45), (0.10, 0.32, 0.18), (0.55, 0.12, 0.10))
_PRINTS = ((0.15, 0.13, 0.12), (0.85, 0.8, 0.68), (0.8, 0.82, 0.85), (0.85, 0.72, 0.3), (0.9, 0.85, 0.75))
_MAT_SHARE = 0.6


def bar_edge(pints: Pints, seen: View) -> Plane:
    """(n, 1, 1) height of the bar's far edge in pictures: some way from the foot towards the horizon."""
    base = column(pints.base_y)
    share = column(noise.uniform(pints.key, "bar depth", 0.12, 0.5))
    edge: Plane = base + 0.04 + np.minimum(seen.horizon - base, 1.6) * share * 0.55
    return edge


def paint_bar(image: Plane, pints: Pints, seen: View) -> None:
    """The surface below its far edge, with grain that narrows towards the horizon and lamps' mirror images."""
    edge = bar_edge(pints, seen)
    softness = 0.006 + column(noise.uniform(pints.key, "bar blur", 0.0, 0.02))
    below = ramp(edge - seen.up, softness)
    reach = seen.horizon - column(pints.base_y)
    depth = reach / np.maximum(seen.horizon - seen.up, 0.05)
    turned = column(noise.uniform(pints.key, "grain turn", -0.35, 0.35))
    far, along = depth * reach, seen.right * depth
    row = (far + turned * along) * 60.0
    knots = noise.smooth_noise(noise.lattice(pints.key, "grain", 64, 16), row, (along - turned * far) * 4.0 + 8.0)
    fine = noise.smooth_noise(noise.lattice(pints.key, "fine grain", 64, 64), row * 3.1, along * 22.0 + 32.0)
    stuff = noise.pick(pints.key, "bar top", _TOP_WEIGHTS)
    light = 0.5 + 0.8 * column(pints.light) + 0.3 * column(noise.uniform(pints.key, "bar light"))
    strength = column(noise.uniform(pints.key, "grain strength", 0.25, 0.8))
    tone = light * (1.0 + strength * ((knots - 0.5) * 0.9 + (fine - 0.5) * 0.45))
    # The far end of the bar mirrors the room at a flat angle.
    gloss = column(noise.uniform(pints.key, "gloss"))
    sheen = np.clip((seen.up + 0.5) * 0.6, 0.0, 0.5) * gloss * (0.2 + 0.5 * column(pints.light))
    colour = palette(_TOPS, stuff) * tone[:, None]
    warm = palette(((1.0, 0.78, 0.5), (0.9, 0.92, 1.0)), (pints.warmth < 0.4).astype(np.int64))
    over(image, colour + warm * sheen[:, None], below)
    bright = below * gloss * (0.1 + 0.25 * column(pints.light)) * glow(edge - seen.up, 0.22)
    for turn in range(3):
        place = column(noise.uniform(pints.key, f"mirrored lamp {turn}", -0.5, 0.5))
        width = column(noise.uniform(pints.key, f"mirrored width {turn}", 0.015, 0.07))
        add_light(image, warm, glow(seen.right - place, width) * bright)


def paint_mat(image: Plane, vessel: Vessel, pints: Pints) -> None:
    """A square or round mat under the glass, turned on the bar, with a printed border and blot."""
    has = column(noise.chance(pints.key, "mat", _MAT_SHARE))
    slope = vessel.elevation + ELEVATION_GAIN
    shift = column(noise.uniform(pints.key, "mat shift", -10.0, 10.0))
    x, z = vessel.across - shift, vessel.rise / slope
    tangent = column(noise.uniform(pints.key, "mat turn", -0.41, 0.41))
    scale = 1.0 / (1.0 + tangent * tangent)
    cosine, sine = (1.0 - tangent * tangent) * scale, 2.0 * tangent * scale
    along, across = x * cosine + z * sine, z * cosine - x * sine
    square = np.maximum(np.abs(along), np.abs(across))
    ring = np.sqrt(along * along + across * across)
    round_ = column(noise.chance(pints.key, "round mat", 0.25))
    distance = square + (ring - square) * round_
    soft = vessel.pixel_mm / slope * 0.7
    row = noise.pick(pints.key, "mat colour", [36, 18, 18, 14, 14])
    light = (0.6 + 0.6 * column(pints.light))[:, None]
    # Its edge shows as a pale line towards the camera.
    lower = np.maximum(np.abs(along - 0.0), np.abs(across)) - 1.8 / slope * ramp(-z, 20.0)
    lower = lower + (ring - 1.8 / slope - lower) * round_
    over(image, plain(0.5, 0.46, 0.4) * light, ramp(48.0 - lower, soft) * has)
    over(image, palette(_MATS, row) * light, ramp(48.0 - distance, soft) * has)
    border = ramp(2.5 - np.abs(distance - 42.0), soft)
    blot = ramp(9.0 - np.abs(across + 27.0), soft) * ramp(26.0 - np.abs(along), soft)
    over(image, palette(_PRINTS, row) * light, np.maximum(border * 0.7, blot * 0.6) * has)


def paint_contact(image: Plane, vessel: Vessel, pints: Pints) -> None:
    """The shadow at the foot, the long shadow to one side, and the dark mirror image on a polished bar."""
    foot = vessel.radius_at(np.zeros_like(vessel.top))
    flat = vessel.rise / (vessel.elevation + ELEVATION_GAIN)
    lean = column(noise.uniform(pints.key, "light side", -1.0, 1.0))
    near = vessel.across * vessel.across + flat * flat
    black = plain(0.0, 0.0, 0.0)
    ratio = near / (foot * foot * 1.35)
    over(image, black, 0.5 / (1.0 + ratio * ratio))
    across = vessel.across + lean * flat * 0.55
    long = ramp(foot * 1.5 - np.abs(across), foot) * ramp(flat + 10.0, 30.0) * ramp(90.0 - flat, 60.0)
    over(image, black, long * 0.25)
    gloss = column(noise.uniform(pints.key, "gloss"))
    below = ramp(-vessel.rise, 8.0) * ramp(foot * 1.05 - np.abs(vessel.across), foot * 0.35)
    over(image, plain(0.03, 0.02, 0.016), below * (0.15 + 0.55 * gloss) * glow(vessel.rise, 45.0))
