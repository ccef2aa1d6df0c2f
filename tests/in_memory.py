"""Feature sets whose pictures lie in an array instead of in segments on disk."""

import numpy as np
from numpy.typing import NDArray

from totalml.features import FeatureSet
from totalml.features.build import sample_keys
from totalml.features.targets import Targets


class InMemory:
    """Gathered as a feature set's pixels are."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels, self.shape = pixels, pixels.shape[1:]

    def __len__(self) -> int:
        return len(self.pixels)

    def gather(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return self.pixels[rows]


def feature_set(
    pixels: NDArray[np.uint8] | None = None,
    numeric: NDArray[np.float32] | None = None,
    categorical: NDArray[np.int64] | None = None,
    vocabularies: tuple[tuple[str, ...], ...] = (),
    classes: tuple[str, ...] = ("bad", "good"),
    labels: NDArray[np.int64] | None = None,
    numeric_names: tuple[str, ...] | None = None,
) -> FeatureSet:
    """Args: labels: in turn unless told."""
    count = max(len(array) for array in (pixels, numeric, categorical) if array is not None)
    numeric = np.zeros((count, 0), np.float32) if numeric is None else numeric
    categorical = np.zeros((count, 0), np.int64) if categorical is None else categorical
    ids = [f"sample-{row}" for row in range(count)]
    return FeatureSet(
        key="blake3:" + "5" * 64,
        ids=ids,
        sample_keys=sample_keys(ids),
        targets=Targets(classes, np.arange(count, dtype=np.int64) % len(classes) if labels is None else labels),
        images=None if pixels is None else InMemory(pixels),
        numeric=numeric,
        numeric_names=numeric_names or tuple(f"n{place}" for place in range(numeric.shape[1])),
        categorical=categorical,
        categorical_names=tuple(f"c{place}" for place in range(categorical.shape[1])),
        vocabularies=vocabularies,
        decoded=0,
        reused=0,
    )
