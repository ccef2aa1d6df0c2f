"""Test pictures with what the model looked at drawn over them."""

import numpy as np
from numpy.typing import NDArray

from totalml.evaluation.explanation.record import GRAD_CAM
from totalml.report.content import ReportContent

Pixels = NDArray[np.uint8]

# Stops of the colours from nothing to the strongest place, and how much of the picture they cover.
STOPS = (0.0, 0.35, 0.7, 1.0)
RED, GREEN, BLUE = (70, 235, 255, 255), (20, 60, 150, 240), (90, 40, 20, 120)
COVER = (0.0, 0.45, 0.65, 0.75)
GREYED, DIMMED = 0.7, 0.75  # what is left of colour and light where the model did not look
BRIGHTEST = 99.5  # percentile of a map that is drawn as its strongest place: one pixel alone would hide the rest
SOFT = (1, 4, 6, 4, 1)  # fine maps are made of single dots

ROWS, COLUMNS = ("upper", "middle", "lower"), ("left", "middle", "right")


def overlays(content: ReportContent, method: str = GRAD_CAM) -> Pixels | None:
    """(n, S, S, 3) the pictures at `content.explanation.shown`, dimmed where nothing spoke for the answer.

    None without pictures or where the method could not be used.
    """
    pictures, explanation = content.pictures, content.explanation
    if pictures is None or explanation is None or f"shown.{method}" not in explanation.maps:
        return None
    images = pictures(content.rows[np.array(explanation.shown, np.int64)])
    return overlaid(images, explanation.maps[f"shown.{method}"])


def overlaid(images: Pixels, maps: Pixels) -> Pixels:
    """Args:
    images: (n, S, S, 3).
    maps: (n, f, f), each with 255 at its strongest place.
    """
    heat = _enlarged(_soft(maps.astype(np.float32)), images.shape[1])
    most = np.percentile(heat, BRIGHTEST, axis=(1, 2), keepdims=True)
    heat = np.clip(heat / np.where(most > 0, most, 1), 0, 1)[..., None]
    grey = images.mean(axis=3, keepdims=True)
    cold = (grey + (images - grey) * (1 - GREYED)) * DIMMED
    base = cold + (images - cold) * heat
    colour = np.concatenate([np.interp(heat, STOPS, channel) for channel in (RED, GREEN, BLUE)], axis=3)
    cover = np.interp(heat, STOPS, COVER)
    return np.round(base + (colour - base) * cover).astype(np.uint8)


def where(map_: Pixels) -> str:
    """In words where the strongest place of a map is, for those who cannot see it: `in the upper left`."""
    side = map_.shape[0]
    row, column = divmod(int(_soft(map_[None].astype(np.float32)).argmax()), side)
    up, across = ROWS[3 * row // side], COLUMNS[3 * column // side]
    if up == across:
        return "in the middle"
    return f"in the {up} {across}" if "middle" not in (up, across) else f"{_edge(up, across)}"


def _edge(up: str, across: str) -> str:
    return f"in the middle of the {across} side" if up == "middle" else f"in the middle of the {up} part"


def _soft(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """A small blur, continued by the edge."""
    reach = len(SOFT) // 2
    for axis in (1, 2):
        padded = np.pad(maps, [(reach, reach) if at == axis else (0, 0) for at in range(3)], mode="edge")
        size = maps.shape[axis]
        moved = [np.take(padded, range(start, start + size), axis) * weight for start, weight in enumerate(SOFT)]
        maps = np.sum(moved, axis=0, dtype=np.float32) / np.float32(sum(SOFT))
    return maps


def _enlarged(maps: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    from PIL import Image

    large = [Image.fromarray(one).resize((side, side), Image.Resampling.BILINEAR) for one in maps]
    return np.stack([np.asarray(one) for one in large])
