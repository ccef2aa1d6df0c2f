"""A folder of renders as JPEGs, for those who have no photo at hand to ask a service about.

Run: python -m recipes.guinness.photos FOLDER [--count N] [--seed N] [--size PX]
"""

import argparse
from pathlib import Path

from PIL import Image

from recipes.guinness.pint import draw_pints
from recipes.guinness.render import render
from recipes.guinness.source import PintSource

UNSEEN = 1  # the recipe draws its pints from seed 0
SIZE_PX = PintSource.model_fields["size_px"].default  # a larger one is shrunk, which takes its JPEG's blocks away


def main() -> None:
    """Parse the command line and write the photos."""
    parser = argparse.ArgumentParser(description="Write renders of pints as JPEGs.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--seed", type=int, default=UNSEEN)
    parser.add_argument("--size", type=int, default=SIZE_PX, help="side of a picture in pixels (%(default)s)")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    pints = draw_pints(options.seed, 0, options.count)
    for index, image in zip(pints.index.tolist(), render(pints, options.size).images, strict=True):
        Image.fromarray(image).save(options.folder / f"pint-{index:07d}.jpg", quality=90)


if __name__ == "__main__":
    main()
