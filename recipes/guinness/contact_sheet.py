"""Renders on the left, photos on the right, to judge by eye how alike they are.

Run: python -m recipes.guinness.contact_sheet OUT.png [--photos DIR] [--seed N] [--size PX]
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recipes.guinness.pint import draw_pints
from recipes.guinness.render import render

_COLUMNS, _ROWS = 5, 8


def sheet(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, S, S, 3) laid out in rows of five, missing cells white."""
    size_px = images.shape[1]
    cells = np.full((_ROWS * _COLUMNS, size_px, size_px, 3), 255, dtype=np.uint8)
    cells[: len(images)] = images[: len(cells)]
    grid = cells.reshape(_ROWS, _COLUMNS, size_px, size_px, 3).transpose(0, 2, 1, 3, 4)
    return grid.reshape(_ROWS * size_px, _COLUMNS * size_px, 3)


def read_photos(folder: Path, size_px: int) -> NDArray[np.uint8]:
    """The folder's first 40 photos, cut to a square about the middle and scaled."""
    photos = []
    for path in sorted(folder.rglob("*.jpg"))[: _ROWS * _COLUMNS]:
        with Image.open(path) as photo:
            side = min(photo.size)
            left, top = (photo.width - side) // 2, (photo.height - side) // 2
            square = photo.convert("RGB").crop((left, top, left + side, top + side))
            photos.append(np.asarray(square.resize((size_px, size_px), Image.Resampling.LANCZOS)))
    return np.stack(photos)


def main() -> None:
    """Parse the command line and write the sheet."""
    parser = argparse.ArgumentParser(description="Lay renders of pints beside photos.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--photos", type=Path, help="folder of .jpg photos for the right half")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--size", type=int, default=128, help="side of a picture in pixels")
    options = parser.parse_args()
    drawn = sheet(render(draw_pints(options.seed, 0, _ROWS * _COLUMNS), options.size).images)
    halves = [drawn]
    if options.photos:
        halves += [np.full((len(drawn), 12, 3), 255, np.uint8), sheet(read_photos(options.photos, options.size))]
    Image.fromarray(np.concatenate(halves, axis=1)).save(options.out)


if __name__ == "__main__":
    main()
