"""The glass: where each pixel meets its wall, seen in perspective, and the light on it.

A vessel is a round body with a profile; the pixel's height on the front wall is found in two steps of iteration.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from recipes.guinness import noise
from recipes.guinness.camera import ELEVATION_GAIN, View
from recipes.guinness.noise import Numbers, Plane
from recipes.guinness.pint import NEW, PLASTIC, Pints
from recipes.guinness.shapes import add_light, column, glow, over, plain, ramp, root

# Height in mm of the tulip, the new glass, the plastic cup; the first from the photos' proportions and the pint.
HEIGHT_MM = (152.0, 165.0, 138.0)
# Radius over height as a polynomial of height over height, lowest power first: fitted to the photos we measured.
_PROFILES = (
    (0.1728, -0.1297, 0.5521, 0.1345, -0.8897, 0.4009),
    (0.163, -0.0369, 0.3805, -0.3458, 0.1408, -0.0695),
    (0.222, 0.1, 0.0, 0.0, 0.0, 0.0),
)
_FOOT_MM = (7.0, 9.0, 2.0)
_WALL_MM = (2.6, 2.6, 1.0)
_LINE_WIDTH_MM = 2.0


@dataclass(frozen=True)
class Vessel:
    """The glass as n cameras see it; lengths in mm, planes (n, H, W), single values (n, 1, 1).

    Args:
        across: right of the glass's axis.
        rise: above the foot's middle, on the picture plane.
        height: on the front wall where the pixel meets it.
        radius: of the wall at that height.
        side: across over radius, -1..1.
        facing: cosine to the camera, 0 at the edge.
        cover: share of the pixel that the front wall covers.
        top: height of the rim. rim_radius: its radius.
        elevation: ellipse's half-height over half-width at the rim.
        pixel_mm: side of a pixel.
    """

    across: Plane
    rise: Plane
    height: Plane
    radius: Plane
    side: Plane
    facing: Plane
    cover: Plane
    top: Plane
    rim_radius: Plane
    elevation: Plane
    pixel_mm: Plane
    coefficients: Plane

    def take(self, rows: NDArray[np.int64]) -> "Vessel":
        """The vessels of these rows."""
        return replace(self, **{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def radius_at(self, height: Plane) -> Plane:
        """Radius in mm at a height in mm."""
        return _radius(self.coefficients, self.top, height)

    def elevation_at(self, height: Plane) -> Plane:
        """Half-height over half-width of the ellipse at that height."""
        return self.elevation + ELEVATION_GAIN * (1.0 - height / self.top)


def stand(
    seen: View, glass: NDArray[np.int64], glass_height: Plane, foot: tuple[Plane, Plane], elevation: Plane
) -> Vessel:
    """A vessel on the bar.

    Args:
        glass_height: (n, 1, 1) in pictures.
        foot: (n, 1, 1) right and up of the foot's middle, in pictures.
        elevation: (n, 1, 1) of the rim.
    """
    top = column(np.asarray(HEIGHT_MM, dtype=np.float64)[glass])
    coefficients = np.asarray(_PROFILES, dtype=np.float32)[glass][:, :, None, None]
    mm = top / glass_height
    across, rise = (seen.right - foot[0]) * mm, (seen.up - foot[1]) * mm
    squared = across * across
    height = rise
    for _ in range(2):
        slope = elevation + ELEVATION_GAIN * (1.0 - np.clip(height / top, 0.0, 1.0))
        reach = _radius(coefficients, top, height)
        height = rise + slope * root(reach * reach - squared)
    radius = _radius(coefficients, top, height)
    side = np.clip(across / radius, -1.0, 1.0)
    pixel_mm = seen.pixel * mm
    cover = ramp(radius - np.abs(across), pixel_mm) * ramp(height, pixel_mm) * ramp(top - height, pixel_mm)
    return Vessel(
        across=across,
        rise=rise,
        height=height,
        radius=radius,
        side=side,
        facing=root(1.0 - side * side),
        cover=cover,
        top=top,
        rim_radius=_radius(coefficients, top, top),
        elevation=elevation,
        pixel_mm=pixel_mm,
        coefficients=coefficients,
    )


def disc(vessel: Vessel, level: Plane, dome: Plane | float = 0.0) -> tuple[Plane, Plane]:
    """The round surface at height `level`, domed by `dome` mm: its cover and its distance from the front edge."""
    radius = vessel.radius_at(level)
    bulge = root(1.0 - (vessel.across * vessel.across) / (radius * radius))
    half = vessel.elevation_at(level) * radius * bulge
    back = np.abs(half) + dome * bulge * (0.5 + 0.5 * bulge)
    front = vessel.rise - level + half
    cover = ramp(back - (vessel.rise - level), vessel.pixel_mm) * ramp(front, vessel.pixel_mm)
    return cover * ramp(radius - np.abs(vessel.across), vessel.pixel_mm), front


def foot_mm(pints: Pints) -> Plane:
    """(n, 1, 1) thickness of the clear foot."""
    return column(np.asarray(_FOOT_MM, dtype=np.float64)[pints.glass])


def wall_mm(pints: Pints) -> Plane:
    """(n, 1, 1) thickness of the clear wall."""
    return column(np.asarray(_WALL_MM, dtype=np.float64)[pints.glass])


def paint_empty_glass(image: Plane, vessel: Vessel, pints: Pints) -> None:
    """The wall as if nothing were inside: a veil, brighter and darker lines at the edges, the back of the rim."""
    veil = np.float32(0.13) + np.float32(0.12) * column(pints.glass == PLASTIC)
    edge = 1.0 - vessel.facing
    over(image, plain(0.75, 0.74, 0.7), vessel.cover * (veil + 0.2 * edge * edge) * (0.45 + 0.7 * column(pints.light)))
    rim, front = disc(vessel, vessel.top)
    over(image, plain(0.7, 0.7, 0.66), rim * 0.1)
    half = vessel.elevation * root(vessel.rim_radius * vessel.rim_radius - vessel.across * vessel.across)
    back = glow(front - 2.0 * half, vessel.pixel_mm * 0.8)
    over(image, plain(0.85, 0.84, 0.8), rim * back * 0.55)


def paint_shine(image: Plane, vessel: Vessel, pints: Pints) -> None:
    """What the glass mirrors: two streaks of window light, the rim's line, the foot's glints, the V in relief."""
    light = column(noise.uniform(pints.key, "shine", 0.25, 1.0)) * (0.35 + 0.65 * column(pints.light))
    lean = column(noise.uniform(pints.key, "light side", -1.0, 1.0))
    add_light(image, plain(0.9, 0.8, 0.68), glow(vessel.side - 0.5 * lean, 0.5) * vessel.cover * light * 0.045)
    for turn in range(3):
        place = column(_streak_place(pints, turn))
        width = column(noise.uniform(pints.key, f"streak width {turn}", 0.025, 0.11))
        low = vessel.top * column(noise.uniform(pints.key, f"streak low {turn}", 0.1, 0.45))
        high = vessel.top * column(noise.uniform(pints.key, f"streak high {turn}", 0.6, 0.97))
        band = ramp(vessel.height - low, vessel.top * 0.12) * ramp(high - vessel.height, vessel.top * 0.08)
        add_light(image, plain(0.9, 0.88, 0.84), glow(vessel.side - place, width) * band * vessel.cover * light * 0.62)
    rim_line = glow(vessel.top - vessel.height, vessel.pixel_mm * 0.7) * vessel.cover
    over(image, plain(0.97, 0.95, 0.9), rim_line * (0.25 + 0.2 * light))
    # A plastic cup has a rolled lip and a step where cups stack.
    cup = column(pints.glass == PLASTIC) * vessel.cover
    lip = ramp(vessel.height - vessel.top + 5.0, vessel.pixel_mm) + glow(vessel.height - vessel.top * 0.6, 1.5) * 0.6
    over(image, plain(0.92, 0.92, 0.9), np.clip(lip, 0.0, 1.0) * cup * 0.75)
    foot = foot_mm(pints)
    glint = glow(vessel.height - foot * 0.45, foot * 0.3) * vessel.cover
    sparkle = glow(vessel.side - 0.45, 0.25) + glow(vessel.side + 0.55, 0.2) + 0.3
    add_light(image, plain(0.8, 0.74, 0.66), glint * sparkle * light * 0.5)
    _paint_relief(image, vessel, pints, light)


def paint_line(image: Plane, vessel: Vessel, pints: Pints) -> None:
    """The gold line printed round a lined glass where a pint ends."""
    rows = np.flatnonzero(pints.line_mm > 0.0)
    if not len(rows):
        return
    some, patch = vessel.take(rows), image[rows]
    below = some.top - column(pints.line_mm[rows]) - some.height
    ink = ramp(0.5 * _LINE_WIDTH_MM - np.abs(below), some.pixel_mm) * some.cover
    over(patch, plain(0.78, 0.62, 0.32) * (0.7 + 0.3 * column(pints.light[rows]))[:, None], ink * 0.9)
    image[rows] = patch


def _paint_relief(image: Plane, vessel: Vessel, pints: Pints, light: Plane) -> None:
    """Two ridges of the new glass that run from its shoulders to a V near the foot; a lit and a dark flank each."""
    turn = np.clip(column(pints.turn), -0.6, 0.6)
    share = vessel.height / vessel.top
    spread = np.clip((share - 0.1) * 1.25, 0.0, 1.0)
    gap = np.abs(vessel.side - turn * 0.5) - 0.72 * root(spread)
    lines = vessel.cover * column(pints.glass == NEW) * ramp(share - 0.1, 0.03) * ramp(0.72 - share, 0.2)
    add_light(image, plain(0.8, 0.76, 0.7), glow(gap, 0.035) * lines * light * 0.33)
    over(image, plain(0.0, 0.0, 0.0), glow(gap + 0.07, 0.04) * lines * 0.5)


def _streak_place(pints: Pints, turn: int) -> Numbers:
    """Streaks keep to the sides, where a window or lamp beside the camera shows."""
    outer = noise.uniform(pints.key, f"streak {turn}", 0.5, 0.9)
    return outer if turn == 1 else -outer


def _radius(coefficients: Plane, top: Plane, height: Plane) -> Plane:
    share = np.clip(height / top, 0.0, 1.0)
    result = coefficients[:, 5]
    for power in range(4, -1, -1):
        result = result * share + coefficients[:, power]
    return result * top
