"""Draw pints: how they were poured, in which glass, where, by whom photographed and rated.

A struct of arrays, one row a pint; what only decorates (bottles, grain) is drawn by the painters from `key`.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recipes.guinness import noise, people
from recipes.guinness.knobs import Knobs
from recipes.guinness.noise import Keys, Numbers
from recipes.guinness.pour import draw_pour

TULIP, NEW, PLASTIC = 0, 1, 2
GLASSES = ("tulip", "new", "plastic")
BACK_BAR, LOUNGE, WALL = 0, 1, 2
# Depth of the pint line in a lined glass. "About 1 cm" in Banks's (everything2.com); ours has room for the whole head.
LINE_MM = 25.0
# Share of plastic cups in St Patrick's week at full strength; no pub uses them in a plain one.
_PLASTIC_ST_PATRICKS = 0.36


@dataclass(frozen=True)
class Pints:
    """N pints, each field (N,). Fractions run 0..1; `picture` is the photo's side.

    Args:
        key: random key of the pint, from the seed and the index.
        index: number of the pint in its population.
        head_mm: height of the foam on the glass's side, below its edge.
        dome_mm: height of the foam's middle over its edge.
        short_mm: how far the foam's edge lies below where a pint ends: the rim, or the line of a lined glass.
        line_mm: depth of that line below the rim; 0 where the rim is the measure.
        settle: 0 poured just now, 1 black.
        spill: foam run down the outside; 0 dry.
        bubble_mm: diameter of the largest bubbles in the head.
        temperature_c: of the beer; tastes, and does not show.
        lacing: foam left on the inside above the head.
        glass: TULIP, NEW or PLASTIC.
        turn: where the badge faces; 0 the camera, +-1 a quarter turn.
        backdrop: BACK_BAR, LOUNGE or WALL.
        light: of the room behind; 0 dark, 1 daylight.
        warmth: of the light; 0 daylight, 1 candle.
        green: strength of green light.
        crowd: share of the places behind where someone stands.
        glass_height: in pictures.
        centre_x, base_y: of the glass's foot, in pictures from the photo's middle, right and up.
        tilt: tangent of half the camera's roll.
        elevation: half-height over half-width of the rim's ellipse; below 0 the camera looks up.
        exposure: gain of the camera; 1 is right.
        blur: width in pictures.
        noise_level: deviation of the sensor's noise; 0..1 is the full scale.
        jpeg: coarseness of the compression; 1 is plain.
        hand, neighbour, occluder: whether these are in the photo.
        poor_photo: whether its uploader takes poor photos.
        timestamp_us: microseconds UTC since 1970.
        uploader, rater: number of the person.
        young_generosity: the knob, kept for the rating.
    """

    key: Keys
    index: NDArray[np.int64]
    head_mm: Numbers
    dome_mm: Numbers
    short_mm: Numbers
    line_mm: Numbers
    settle: Numbers
    spill: Numbers
    bubble_mm: Numbers
    temperature_c: Numbers
    lacing: Numbers
    glass: NDArray[np.int64]
    turn: Numbers
    backdrop: NDArray[np.int64]
    light: Numbers
    warmth: Numbers
    green: Numbers
    crowd: Numbers
    glass_height: Numbers
    centre_x: Numbers
    base_y: Numbers
    tilt: Numbers
    elevation: Numbers
    exposure: Numbers
    blur: Numbers
    noise_level: Numbers
    jpeg: Numbers
    hand: NDArray[np.bool_]
    neighbour: NDArray[np.bool_]
    occluder: NDArray[np.bool_]
    poor_photo: NDArray[np.bool_]
    timestamp_us: NDArray[np.int64]
    uploader: NDArray[np.int64]
    rater: NDArray[np.int64]
    young_generosity: Numbers

    def __len__(self) -> int:
        return len(self.key)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "Pints":
        """The pints of these rows."""
        return replace(self, **{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def draw_pints(seed: int, start: int, count: int, knobs: Knobs = Knobs()) -> Pints:  # noqa: B008 (frozen)
    """Pints `start` to `start + count - 1` of the seed's population."""
    index = np.arange(start, start + count, dtype=np.int64)
    key = noise.keys(seed, index)
    uploader = people.draw_uploader(key)
    timestamp_us = people.draw_timestamp_us(key, knobs)
    poor = people.is_poor_photographer(uploader, knobs)
    party = np.where(people.in_st_patricks_week(timestamp_us), knobs.st_patricks, 0.0)
    glass = _draw_glass(key, knobs, party)
    return Pints(
        key=key,
        index=index,
        **draw_pour(key),
        line_mm=np.where((glass == NEW) & noise.chance(key, "lined", knobs.lined_share), LINE_MM, 0.0),
        temperature_c=6.0 + 1.3 * noise.bell(key, "temperature"),
        lacing=noise.uniform(key, "lacing"),
        glass=glass,
        turn=_draw_turn(key),
        **_draw_room(key, party),
        **_draw_framing(key, poor),
        **_draw_camera(key, poor),
        hand=noise.chance(key, "hand", 0.14),
        neighbour=noise.chance(key, "neighbour", 0.3 + 0.3 * party),
        occluder=noise.chance(key, "occluder", 0.06 + 0.1 * party),
        poor_photo=poor,
        timestamp_us=timestamp_us,
        uploader=uploader,
        rater=people.draw_rater(key),
        young_generosity=np.full(count, knobs.young_generosity, dtype=np.float64),
    )


def _draw_glass(key: Keys, knobs: Knobs, party: Numbers) -> NDArray[np.int64]:
    real = np.where(noise.chance(key, "new glass", knobs.new_glass_share), NEW, TULIP)
    plastic = noise.chance(key, "plastic", party * _PLASTIC_ST_PATRICKS)
    return np.where(plastic, PLASTIC, real).astype(np.int64)


def _draw_turn(key: Keys) -> Numbers:
    facing = 0.22 * noise.bell(key, "turn")
    # One in ten shows the back of the glass: no badge.
    return np.where(noise.chance(key, "turned away", 0.1), 3.0, facing)


def _draw_room(key: Keys, party: Numbers) -> dict[str, NDArray[Any]]:
    backdrop = noise.pick(key, "backdrop", [45, 40, 15])
    spread = noise.uniform(key, "light")
    # Back bars are dark, lounges may have daylight.
    light = np.where(backdrop == BACK_BAR, 0.1 + 0.5 * spread, 0.15 + 0.8 * spread)
    return {
        "backdrop": backdrop,
        "light": light,
        "warmth": np.clip(0.95 - 0.75 * light + 0.18 * noise.bell(key, "warmth"), 0.0, 1.0),
        "green": party * noise.uniform(key, "green", 0.3, 0.8),
        "crowd": np.minimum(noise.uniform(key, "crowd", 0.0, 0.45) + 0.6 * party, 1.0),
    }


def _draw_framing(key: Keys, poor: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    height = noise.uniform(key, "glass height", 0.64, 0.82)
    height = np.where(poor, noise.uniform(key, "poor glass height", 0.45, 0.92), height)
    # The slack above and below the glass is shared out; a poor photo may cut the glass off.
    share = noise.uniform(key, "slack", 0.35, 0.65)
    share = np.where(poor, noise.uniform(key, "poor slack", 0.0, 1.0), share)
    shift = noise.uniform(key, "centre", -0.1, 0.1)
    shift = np.where(poor, noise.uniform(key, "poor centre", -0.3, 0.3), shift)
    roll = noise.bell(key, "tilt")
    steep = noise.uniform(key, "elevation")
    return {
        "glass_height": height,
        "base_y": -0.5 + (1.0 - height) * share,
        "centre_x": shift,
        "tilt": np.where(poor, 0.06 * roll, 0.018 * roll),
        "elevation": -0.01 + 0.18 * steep * steep,
    }


def _draw_camera(key: Keys, poor: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    exposure = 1.08 + 0.12 * noise.bell(key, "exposure")
    dark = noise.uniform(key, "poor exposure", 0.48, 0.7)
    blur = noise.uniform(key, "blur", 0.0, 0.004)
    shaken = noise.uniform(key, "poor blur", 0.008, 0.018)
    level = noise.uniform(key, "noise", 0.003, 0.015)
    return {
        "exposure": np.where(poor, dark, exposure),
        "blur": np.where(poor, shaken, blur),
        "noise_level": np.where(poor, level * 1.6 + 0.012, level),
        "jpeg": np.where(poor, 2.2, noise.uniform(key, "jpeg", 0.4, 1.4)),
    }
