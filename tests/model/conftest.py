"""Feature sets held in memory, for networks to be built on."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from totalml.features import FeatureSet
from totalml.features.targets import Targets


class InMemory:
    """Pictures in an array instead of in segments on disk."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels = pixels
        self.shape = pixels.shape[1:]

    def gather(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return self.pixels[rows]


@pytest.fixture
def feature_set() -> Callable[..., FeatureSet]:
    def build(
        pixels: NDArray[np.uint8] | None = None,
        numeric: NDArray[np.float32] | None = None,
        categorical: NDArray[np.int64] | None = None,
        vocabularies: tuple[tuple[str, ...], ...] = (),
        classes: tuple[str, ...] = ("bad", "good"),
    ) -> FeatureSet:
        count = max(len(array) for array in (pixels, numeric, categorical) if array is not None)
        numeric = np.zeros((count, 0), np.float32) if numeric is None else numeric
        categorical = np.zeros((count, 0), np.int64) if categorical is None else categorical
        return FeatureSet(
            key="blake3:" + "0" * 64,
            ids=[f"{row}" for row in range(count)],
            sample_keys=np.arange(count, dtype=np.int64),
            targets=Targets(classes, np.arange(count, dtype=np.int64) % len(classes)),
            images=None if pixels is None else InMemory(pixels),
            numeric=numeric,
            numeric_names=tuple(f"n{place}" for place in range(numeric.shape[1])),
            categorical=categorical,
            categorical_names=tuple(f"c{place}" for place in range(categorical.shape[1])),
            vocabularies=vocabularies,
            decoded=0,
            reused=0,
        )

    return build
