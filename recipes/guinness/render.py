"""Photos of pints in pubs with masks of what they show, painted from back to front.

Whole batches at once, in float32 and in arithmetic that every processor rounds alike, so pixels are bit-identical.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recipes.guinness import beer, foam, glass, hands, noise
from recipes.guinness.background import paint_background
from recipes.guinness.bar import paint_bar, paint_contact, paint_mat
from recipes.guinness.camera import coarse_view, expose, refine, view
from recipes.guinness.noise import Plane
from recipes.guinness.pint import Pints
from recipes.guinness.shapes import column

HEAD, BODY, GLASS, DISTRACTOR = 1, 2, 4, 8
# Planes of this many pints at 128 px stay in a processor's cache; the pixels do not depend on it.
_CHUNK = 8


@dataclass(frozen=True)
class Renders:
    """N photos and what their pixels show.

    Args:
        images: (N, S, S, 3) uint8 RGB.
        masks: (N, S, S) uint8; bits HEAD, BODY, GLASS (the glass with all it holds), DISTRACTOR (hand, second
            pint, what stands in front), each where visible and covering more than half the pixel.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]


def render(pints: Pints, size_px: int = 128) -> Renders:
    """Photograph the pints at `size_px` a side (32 or more).

    Raises: ValueError: size_px is below 32.
    """
    if size_px < 32:
        raise ValueError(f"size_px is {size_px}; a pint needs 32 pixels or more a side")
    images = np.empty((len(pints), size_px, size_px, 3), dtype=np.uint8)
    masks = np.empty((len(pints), size_px, size_px), dtype=np.uint8)
    for start in range(0, len(pints), _CHUNK):
        part = slice(start, start + _CHUNK)
        images[part], masks[part] = _render_chunk(pints.take(part), size_px)
    return Renders(images, masks)


def _render_chunk(pints: Pints, size_px: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    coarse = coarse_view(pints, size_px)
    behind = np.zeros((len(pints), 3, *coarse.right.shape[1:]), dtype=np.float32)
    paint_background(behind, pints, coarse)
    image = refine(behind, size_px)
    seen = view(pints, size_px)
    paint_bar(image, pints, seen)
    neighbour = hands.paint_neighbour(image, pints, seen)
    foot = (column(pints.centre_x), column(pints.base_y))
    vessel = glass.stand(seen, pints.glass, column(pints.glass_height), foot, column(pints.elevation))
    paint_mat(image, vessel, pints)
    paint_contact(image, vessel, pints)
    palm = hands.paint_palm(image, pints, vessel)
    room = 0.78 + 0.24 * column(pints.light) + 0.1 * column(noise.uniform(pints.key, "lamp on the head"))
    glass.paint_empty_glass(image, vessel, pints)
    filled = beer.paint_beer(image, vessel, pints, room)
    beer.paint_short(image, vessel, pints, filled.level)
    glass.paint_shine(image, vessel, pints)
    glass.paint_line(image, vessel, pints)
    spill = foam.paint_spill(image, vessel, pints, beer.CREAM, room)
    fingers = hands.paint_fingers(image, pints, vessel)
    occluder = hands.paint_occluder(image, pints, seen)
    vessel_cover = np.maximum(vessel.cover, filled.head)
    masks = _masks(filled, vessel_cover, np.maximum(neighbour, palm), np.maximum(fingers, occluder), spill)
    return expose(image, pints, seen), masks


def _masks(filled: beer.Filled, vessel: Plane, behind: Plane, before: Plane, spill: Plane) -> NDArray[np.uint8]:
    """(n, S, S) bits of what is visible, from covers in 0..1."""
    free = before <= 0.5
    whole = vessel > 0.5
    bits = (free & (filled.head > 0.5)) * np.uint8(HEAD)
    bits |= (free & (filled.body > 0.5) & (filled.head <= 0.5) & (spill <= 0.5)) * np.uint8(BODY)
    bits |= (free & whole) * np.uint8(GLASS)
    bits |= (~free | ((behind > 0.5) & ~whole)) * np.uint8(DISTRACTOR)
    return bits.astype(np.uint8)
