from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from totalml.data.folder import ImageFolder
from totalml.kinds import Source
from totalml.recipe import DataRecipe
from totalml.store import Store

_SAMPLES: list[Any] = []


class Listed(Source):
    """Yields what a test put in the fixture `listed`; a function in it is called for more."""

    knows: str | None = None  # its fingerprint

    def samples(self) -> Iterator[Any]:
        for sample in _SAMPLES:
            if callable(sample):
                yield from sample()
            else:
                yield sample

    def fingerprint(self) -> str | None:
        return self.knows


@pytest.fixture
def listed() -> list[Any]:
    """Samples of a source; give it to `recipe`."""
    _SAMPLES.clear()
    return _SAMPLES


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture(scope="session")
def encoded() -> Callable[..., bytes]:
    """The bytes of a picture whose pixels depend on a number."""

    def encoded(number: int, kind: str = "PNG", size: tuple[int, int] = (12, 10), **options: Any) -> bytes:
        pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        sink = BytesIO()
        Image.fromarray(pixels).save(sink, kind, **options)
        return sink.getvalue()

    return encoded


@pytest.fixture
def photos(tmp_path, encoded) -> Path:
    """Two labels of four photos each."""
    root = tmp_path / "photos"
    for number in range(8):
        path = root / ("cat" if number < 4 else "dog") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(number))
    return root


@pytest.fixture
def recipe():
    """A data recipe for a folder, a source, or the samples of `listed`."""

    def recipe(source: Path | Source | list[Any], knows: str | None = None, **values: Any) -> DataRecipe:
        if isinstance(source, Path):
            source = ImageFolder(root=str(source))
        return DataRecipe(source=Listed(knows=knows) if isinstance(source, list) else source, **values)

    return recipe
