"""Small photos drawn for the tests of this room."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE = 16  # px of the features


def photo(seed: int, width: int = 40, height: int = 30) -> NDArray[np.uint8]:
    """Smooth colours, so that a small shift or another filter shows as a small difference."""
    corners = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)
    return np.asarray(Image.fromarray(corners).resize((width, height), Image.Resampling.BICUBIC))


def save_photos(root: Path, seeds: range, label: str = "good") -> None:
    for seed in seeds:
        path = root / label / f"{seed:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo(seed)).save(path)
