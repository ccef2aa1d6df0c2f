"""The pub behind the pint, out of focus: shelves of bottles, lamps, windows, walls, taps and people."""

import numpy as np

from recipes.guinness import noise
from recipes.guinness.bar import bar_edge
from recipes.guinness.camera import View
from recipes.guinness.noise import Plane, look_up
from recipes.guinness.pint import BACK_BAR, LOUNGE, WALL, Pints
from recipes.guinness.shapes import add_light, blend, column, glow, over, palette, plain, ramp, root

_WALLS = (
    (0.15, 0.085, 0.05),
    (0.30, 0.15, 0.08),
    (0.38, 0.09, 0.07),
    (0.11, 0.19, 0.14),
    (0.46, 0.38, 0.26),
    (0.10, 0.12, 0.17),
    (0.60, 0.53, 0.42),
)
_WALL_WEIGHTS = [22, 20, 12, 12, 14, 12, 8]
_BOTTLES = (
    (0.05, 0.11, 0.06),
    (0.33, 0.16, 0.05),
    (0.55, 0.50, 0.42),
    (0.08, 0.07, 0.08),
    (0.45, 0.10, 0.07),
    (0.62, 0.42, 0.14),
    (0.12, 0.20, 0.32),
    (0.26, 0.20, 0.14),
)
_LABELS = ((0.82, 0.76, 0.62), (0.86, 0.84, 0.8), (0.7, 0.55, 0.2), (0.15, 0.13, 0.12))
_LAMPS = ((1.0, 0.78, 0.45), (1.0, 0.62, 0.28), (1.0, 0.93, 0.8), (0.9, 0.25, 0.15), (0.4, 0.65, 1.0), (0.35, 0.9, 0.4))
_LAMP_WEIGHTS = [36, 26, 22, 6, 5, 5]
_GREEN_LAMP = plain(0.2, 0.95, 0.3)
_CLOTH = ((0.05, 0.05, 0.06), (0.10, 0.12, 0.17), (0.22, 0.20, 0.19), (0.27, 0.08, 0.08), (0.45, 0.43, 0.40))
_SKIN = ((0.72, 0.5, 0.38), (0.6, 0.39, 0.28), (0.4, 0.25, 0.17), (0.8, 0.6, 0.48))
_LAMP_COUNT, _PLACES = 14, 5
_SHELVES, _BOTTLES_A_SHELF = 8, 16


def paint_background(image: Plane, pints: Pints, seen: View) -> None:
    """All that lies behind the bar's far edge, in place, on the coarse view."""
    edge = bar_edge(pints, seen)
    open_lens = noise.uniform(pints.key, "depth of field")
    blur = column(0.004 + 0.042 * open_lens * open_lens)
    _paint_wall(image, pints, seen, edge, blur)
    _paint_shelves(image, pints, seen, edge, blur)
    _paint_windows(image, pints, seen, edge, blur)
    _paint_people(image, pints, seen, edge, blur)
    _paint_taps(image, pints, seen, edge, blur)
    _paint_lamps(image, pints, seen, edge, blur)


def _level(pints: Pints) -> Plane:
    return 0.42 + 1.25 * column(pints.light)


def _paint_wall(image: Plane, pints: Pints, seen: View, edge: Plane, blur: Plane) -> None:
    """Plaster, panels or bricks, lit unevenly."""
    row = noise.pick(pints.key, "wall", _WALL_WEIGHTS)
    patches = noise.lattice(pints.key, "wall light", 8, 8)
    cloud = noise.smooth_noise(patches, seen.up * 3.0 + 4.0, seen.right * 3.0 + 4.0)
    bright = column(pints.backdrop == WALL) * 0.7 + column(pints.backdrop == LOUNGE) * 0.5 + 0.55
    tone = _level(pints) * bright * (0.45 + cloud)
    image += palette(_WALLS, row) * tone[:, None]
    # Bricks on half the walls, panels of wood on the rest.
    brick = column(noise.chance(pints.key, "brick", 0.5))
    high = 0.055 + 0.25 * (1.0 - brick)
    course = (seen.up - edge) / high
    course_floor = np.floor(course)
    offset = course_floor * 0.5 * brick
    stone = seen.right / (0.13 - 0.05 * (1.0 - brick)) + offset + 8.0
    stone_floor = np.floor(stone)
    table = noise.lattice(pints.key, "stones", 32, 32)
    shade = look_up(table, course_floor.astype(np.int32) % np.int32(32), stone_floor.astype(np.int32) % np.int32(32))
    joint = np.minimum(0.5 - np.abs(stone - stone_floor - 0.5), (0.5 - np.abs(course - course_floor - 0.5)) * 0.45)
    share = column(pints.backdrop == WALL) + column(pints.backdrop == LOUNGE) * 0.35
    line = ramp(0.05 - joint, 0.08 + blur * 10.0)
    pale = blend(plain(0.1, 0.07, 0.05), plain(0.6, 0.56, 0.5), brick[:, None])
    image *= (1.0 + (shade - 0.5) * 0.9 * share)[:, None]
    over(image, pale * (_level(pints) * 0.8)[:, None], line * share * 0.55)


def _paint_shelves(image: Plane, pints: Pints, seen: View, edge: Plane, blur: Plane) -> None:
    """Rows of bottles lit from behind; a lounge shows them small and far on a part of its wall."""
    rows = np.flatnonzero((pints.backdrop == BACK_BAR) | noise.chance(pints.key, "far shelves", 0.25))
    if not len(rows):
        return
    key, right, up, edge, blur = pints.key[rows], seen.right[rows], seen.up[rows], edge[rows], blur[rows]
    high = column(noise.uniform(key, "shelf height", 0.15, 0.27))
    wide = high * column(noise.uniform(key, "bottle width", 0.27, 0.4))
    shelf = (up - edge - column(noise.uniform(key, "counter", 0.02, 0.12))) / high
    shelf_floor = np.floor(shelf)
    rise = shelf - shelf_floor
    shelf_number = shelf_floor.astype(np.int32) % np.int32(_SHELVES)
    bottle = right / wide + 8.0
    bottle_floor = np.floor(bottle)
    across = bottle - bottle_floor - 0.5
    bottle_number = bottle_floor.astype(np.int32) % np.int32(_BOTTLES_A_SHELF)
    size, girth, there, kind, label = (
        look_up(noise.lattice(key, f"bottle {name}", _SHELVES, _BOTTLES_A_SHELF), shelf_number, bottle_number)
        for name in ("size", "girth", "there", "kind", "label")
    )
    level = _level(pints)[rows]
    patch = image[rows]
    warm = plain(1.0, 0.68, 0.36)
    back = column(noise.uniform(key, "back light", 0.05, 1.0)) * level
    add_light(patch, warm, back * (0.25 + glow(rise - 1.0, 0.5)) * ramp(up - edge, 0.02) * 0.55)
    tall = 0.5 + 0.36 * size
    neck = ramp(rise - tall * 0.62, 0.14)
    half = (0.3 + 0.14 * girth) * (1.0 - 0.62 * neck)
    soft_across, soft_up = blur / wide + 0.08, blur / high + 0.04
    cover = ramp(half - np.abs(across), soft_across) * ramp(tall - rise, soft_up) * ramp(rise - 0.04, soft_up)
    cover = cover * (there < 0.86).astype(np.float32) * ramp(shelf, 0.05)
    kinds = np.minimum((kind * len(_BOTTLES)).astype(np.int32), len(_BOTTLES) - 1)
    glassy = np.moveaxis(np.asarray(_BOTTLES, dtype=np.float32)[kinds], -1, 1)
    over(patch, glassy * (level * (0.55 + 0.9 * label))[:, None], cover * 0.92)
    tag = cover * ramp(0.13 - np.abs(rise - 0.24 - 0.08 * size), soft_up) * (label > 0.25).astype(np.float32)
    tags = np.minimum((label * 16.0).astype(np.int32) % np.int32(4), 3)
    paper = np.moveaxis(np.asarray(_LABELS, dtype=np.float32)[tags], -1, 1)
    over(patch, paper * level[:, None] * 0.75, tag * 0.8)
    add_light(patch, warm, glow(across + half * 0.45, 0.07) * cover * level * 0.4)
    plank = ramp(0.05 - np.abs(rise - 0.02), soft_up) * ramp(shelf + 0.05, 0.05)
    over(patch, plain(0.13, 0.075, 0.04) * level[:, None], plank)
    add_light(patch, warm, glow(rise - 0.06, 0.025) * back * ramp(shelf, 0.05) * 0.5)
    far = column(pints.backdrop[rows] != BACK_BAR)
    share = 1.0 - far * (1.0 - ramp(right - column(noise.uniform(key, "far side", -0.4, 0.4)), 0.05))
    image[rows] = blend(image[rows], patch, share[:, None])


def _paint_windows(image: Plane, pints: Pints, seen: View, edge: Plane, blur: Plane) -> None:
    """Daylight or mirrors in lounges: bright panes with bars."""
    lounge = column(pints.backdrop == LOUNGE)
    for turn in range(2):
        there = column(noise.chance(pints.key, f"window {turn}", 0.55)) * lounge
        middle = column(noise.uniform(pints.key, f"window place {turn}", -0.5, 0.5))
        half = column(noise.uniform(pints.key, f"window width {turn}", 0.06, 0.17))
        low = edge + column(noise.uniform(pints.key, f"window low {turn}", 0.04, 0.25))
        x = seen.right - middle
        soft = blur + 0.008
        pane = ramp(half - np.abs(x), soft) * ramp(seen.up - low, soft) * there
        bars = glow(x, 0.006 + blur * 0.4) + glow(seen.up - low - 0.17, 0.006 + blur * 0.4)
        day = plain(0.78, 0.86, 0.95) * (0.25 + 1.0 * column(pints.light))[:, None]
        over(image, day, pane * (0.9 - 0.7 * np.minimum(bars, 1.0)))


def _paint_people(image: Plane, pints: Pints, seen: View, edge: Plane, blur: Plane) -> None:
    """Head and shoulders behind the bar; a crowd fills every place."""
    for place in range(_PLACES):
        rows = np.flatnonzero(noise.chance(pints.key, f"person {place}", pints.crowd))
        if not len(rows):
            continue
        key, soft = pints.key[rows], blur[rows] + 0.012
        middle = -0.44 + 0.22 * place + column(noise.uniform(key, f"person place {place}", -0.09, 0.09))
        size = column(noise.uniform(key, f"person size {place}", 0.75, 1.5))
        top = edge[rows] + size * column(noise.uniform(key, f"person height {place}", 0.3, 0.42))
        x, y = (seen.right[rows] - middle) / size, (seen.up[rows] - top) / size
        neck = np.clip((-0.085 - y) * 6.0, 0.0, 1.0)
        shoulders = ramp(0.03 + 0.11 * root(neck) - np.abs(x), soft) * ramp(-0.085 - y, soft)
        face = ramp(0.052 - root(x * x + y * y * 0.62), soft)
        hair = face * ramp(y - 0.015 + 0.3 * x * x, soft)
        light = _level(pints)[rows][:, None] * 0.85
        patch = image[rows]
        cloth = palette(_CLOTH, noise.pick(key, f"cloth {place}", [30, 22, 18, 14, 16]))
        green = column(pints.green[rows] * noise.chance(key, f"green cloth {place}", 0.5))[:, None]
        over(patch, blend(cloth, plain(0.05, 0.34, 0.12), green * 0.9) * light, shoulders)
        over(patch, palette(_SKIN, noise.pick(key, f"skin {place}", [5, 3, 3, 5])) * light, face)
        brow = glow(y - 0.008, 0.009) * glow(np.abs(x) - 0.02, 0.012) + glow(y + 0.03, 0.007) * glow(x, 0.018) * 0.7
        over(patch, plain(0.2, 0.12, 0.09) * light, face * np.clip(brow * 0.7 + 0.35 * ramp(x - 0.03, 0.05), 0.0, 1.0))
        over(patch, plain(0.08, 0.055, 0.04) * light, hair)
        image[rows] = patch


def _paint_taps(image: Plane, pints: Pints, seen: View, edge: Plane, blur: Plane) -> None:
    """Beer taps on a back bar: a chrome column with a dark, cream-faced handle."""
    for turn in range(2):
        rows = np.flatnonzero((pints.backdrop == BACK_BAR) & noise.chance(pints.key, f"tap {turn}", 0.4))
        if not len(rows):
            continue
        key, soft = pints.key[rows], blur[rows] * 0.7 + 0.008
        side = -1.0 if turn else 1.0
        x = seen.right[rows] - side * column(noise.uniform(key, f"tap place {turn}", 0.26, 0.44))
        y = seen.up[rows] - edge[rows]
        light = _level(pints)[rows]
        pipe = ramp(0.02 - np.abs(x), soft) * ramp(0.2 - y, soft)
        patch = image[rows]
        chrome = blend(plain(0.2, 0.19, 0.18), plain(0.95, 0.92, 0.85), glow(x + 0.007, 0.008)[:, None])
        over(patch, chrome * light[:, None], pipe)
        wide = 0.034 + 0.05 * np.clip(y - 0.2, 0.0, 0.25)
        handle = ramp(wide - np.abs(x), soft) * ramp(y - 0.2, soft) * ramp(0.42 - y, soft)
        over(patch, plain(0.04, 0.035, 0.035), handle)
        oval = ramp(0.028 - root(x * x + (y - 0.35) * (y - 0.35) * 0.5), soft)
        over(patch, plain(0.85, 0.74, 0.5) * light[:, None], oval)
        image[rows] = patch


def _paint_lamps(image: Plane, pints: Pints, seen: View, edge: Plane, blur: Plane) -> None:
    """Lamps out of focus: discs with a brighter rim and a wide halo."""
    above = ramp(seen.up - edge - 0.02, 0.03)
    many = noise.uniform(pints.key, "lamps", 0.15, 0.8)
    green = column(pints.green)[:, None]
    for lamp in range(_LAMP_COUNT):
        there = column(noise.chance(pints.key, f"lamp {lamp}", many))
        x = seen.right - column(noise.uniform(pints.key, f"lamp right {lamp}", -0.55, 0.55))
        y = seen.up - column(noise.uniform(pints.key, f"lamp up {lamp}", -0.05, 0.5))
        radius = 0.006 + blur * column(noise.uniform(pints.key, f"lamp size {lamp}", 0.5, 2.1))
        distance = root(x * x + y * y)
        disc = ramp(radius - distance, radius * 0.4 + 0.004)
        ring = 0.7 + 0.3 * glow(distance - radius * 0.8, radius * 0.3)
        colour = palette(_LAMPS, noise.pick(pints.key, f"lamp colour {lamp}", _LAMP_WEIGHTS))
        colour = blend(colour, _GREEN_LAMP, green)
        strength = column(noise.uniform(pints.key, f"lamp strength {lamp}", 0.4, 1.3))
        amount = disc * ring * 0.8 + glow(distance, radius * 2.5) * 0.16
        add_light(image, colour, amount * strength * there * above)
