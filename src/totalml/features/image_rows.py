"""The pictures of a feature set."""

from __future__ import annotations

from totalml.features.rows import Rows


class ImageRows(Rows):
    """(B, H, W, 3) uint8 when gathered."""

    shape: tuple[int, int, int]
