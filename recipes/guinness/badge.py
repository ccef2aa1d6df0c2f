"""The print on the glass: a gold harp over white letters, as a small bitmap wrapped round the front."""

import numpy as np

from recipes.guinness import noise
from recipes.guinness.noise import Plane
from recipes.guinness.shapes import plain

_HARP = (
    "......###.......",
    "....######......",
    "...##...####.##.",
    "..##.....######.",
    "..##.......####.",
    ".###.........##.",
    ".##.#........##.",
    ".##.##.......##.",
    ".##.#.#......##.",
    ".##.#.##....##..",
    ".##.#.#.#...##..",
    ".##.#.#.##..##..",
    "..#.#.#.#.#.##..",
    "..##..#.#.###...",
    "..##.#..#.##....",
    "...##.#...##....",
    "...##..#.##.....",
    "....##..##......",
    ".....####.......",
    "......##........",
)
_LETTERS = {
    "G": (".###.", "#...#", "#....", "#.###", "#...#", "#...#", ".####"),
    "U": ("#...#", "#...#", "#...#", "#...#", "#...#", "#...#", ".###."),
    "I": ("###", ".#.", ".#.", ".#.", ".#.", ".#.", "###"),
    "N": ("#...#", "##..#", "##..#", "#.#.#", "#..##", "#..##", "#...#"),
    "E": ("#####", "#....", "#....", "####.", "#....", "#....", "#####"),
    "S": (".####", "#....", "#....", ".###.", "....#", "....#", "####."),
}
_WORD = "GUINNESS"
_GAP_ROWS = 3
# Side of a bitmap cell on the glass: letters 8 mm high, as on the photos we measured.
CELL_MM = 1.25
GOLD, WHITE = plain(0.78, 0.62, 0.32), plain(0.93, 0.92, 0.88)
ROWS = len(_HARP) + _GAP_ROWS + 7
LETTER_TOP_ROW = len(_HARP) + _GAP_ROWS


def _bitmap() -> Plane:
    """(1, rows + 4, columns + 4) of 0 and 1, softened by a cell so that small photos do not flicker."""
    word = [".".join(_LETTERS[letter][row] for letter in _WORD) for row in range(7)]
    width = len(word[0])
    harp = [line.center(width, ".") for line in _HARP]
    lines = harp + ["." * width] * _GAP_ROWS + word
    cells = np.asarray([[float(cell == "#") for cell in line] for line in lines], dtype=np.float32)
    padded = np.pad(cells, 3)
    rows = (padded[:-2] + padded[2:]) * 0.2 + padded[1:-1] * 0.6
    return np.ascontiguousarray((rows[:, :-2] + rows[:, 2:]) * 0.2 + rows[:, 1:-1] * 0.6)[None]


_BITMAP = _bitmap()


def ink(along_mm: Plane, below_mm: Plane) -> Plane:
    """(n, H, W) 0..1 how much print covers each point.

    Args:
        along_mm: right of the badge's middle, along the glass.
        below_mm: below the harp's top.
    """
    height, width = _BITMAP.shape[1], _BITMAP.shape[2]
    # Two cells of margin are empty, so what is clipped to the edge reads 0.
    row = np.clip(below_mm / CELL_MM + 2.0, 0.0, height - 1.01)
    place = np.clip(along_mm / CELL_MM + (width - 1) * 0.5, 0.0, width - 1.01)
    table = np.broadcast_to(_BITMAP, (len(along_mm), height, width))
    # Print is solid: what softening thinned out is made up for.
    return np.minimum(noise.smooth_noise(table, row, place) * 1.5, 1.0)
