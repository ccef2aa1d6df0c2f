"""Pints as the renderer of guinness draws them, in glasses that a model knows, and in a new one that is frosted.

The newer of the renderer's own glasses would not do: a model that never saw it is right on 90 % of it. What stands
behind frost is paler, as a pint is that has not settled, so the model takes nearly all of them for bad, and is right on
55 %; yet what the rule asks for still shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from recipes.guinness.knobs import Knobs
from recipes.guinness.pint import draw_pints
from recipes.guinness.rating import is_good, labels
from recipes.guinness.render import GLASS, render

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SIZE = 48  # px
LABELS = ("bad", "good")
FROST, PALE = 0.23, 204  # share of the light that comes from the frost itself, and its grey


@dataclass(frozen=True)
class Pint:
    """Args: rated: as a person did, who errs. truth: as the stated rule has it."""

    picture: bytes
    rated: str
    truth: str


def pints(count: int, seed: int, frosted: bool = False) -> list[Pint]:
    """In the tulip; or all of them in the newer, taller shape, and frosted."""
    drawn = draw_pints(seed, 0, count, Knobs(new_glass_share=1.0 if frosted else 0.0))
    seen = render(drawn, SIZE)
    frost = FROST * (seen.masks & GLASS > 0)[..., None] if frosted else 0.0
    images = np.rint(seen.images * (1 - frost) + PALE * frost).astype(np.uint8)
    rated, good = labels(drawn).tolist(), is_good(drawn).astype(int).tolist()
    known = zip(images, rated, good, strict=True)
    return [Pint(_png(image), LABELS[one], LABELS[rule]) for image, one, rule in known]


def save(some: list[Pint], folder: Path) -> None:
    """As they were rated: `good/0.png`, `bad/1.png` ..."""
    for number, each in enumerate(some):
        path = folder / each.rated / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each.picture)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()
