from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from tests.in_memory import InMemory
from totalml.data import Snapshot, Splits
from totalml.quality import Pictures


@pytest.fixture
def snapshot_of() -> Callable[..., Snapshot]:
    """Make a snapshot from labels; content, groups and metadata as given, else one of its own for every sample."""

    def make(
        labels: list[str | None],
        content: list[str | None] | None = None,
        groups: list[str] | None = None,
        timestamps: list[Any] | None = None,
        **metadata: list[Any],
    ) -> Snapshot:
        ids = [f"s{k:04d}" for k in range(len(labels))]
        samples = {
            "id": pa.array(ids),
            "blob": pa.array(content if content is not None else ids, pa.string()),
            "size_bytes": pa.array([100] * len(ids), pa.int64()),
            "label": pa.array(labels, pa.string()),
            "group": pa.array(groups if groups is not None else ids, pa.string()),
            "timestamp": pa.array(timestamps or [None] * len(ids), pa.timestamp("us", "UTC")),
            "mask": pa.nulls(len(ids), pa.string()),
        }
        skipped = pa.table({"id": pa.array([], pa.string()), "reason": pa.array([], pa.string())})
        return Snapshot("blake3:" + "0" * 64, pa.table(samples), pa.table(metadata), skipped, 0)

    return make


@pytest.fixture
def splits_of() -> Callable[[str], Splits]:
    """Splits from one letter for each sample: t train, v validation, e test."""

    def make(letters: str) -> Splits:
        return Splits(*(np.flatnonzero([letter == key for letter in letters]) for key in "tve"))

    return make


@pytest.fixture
def pictures_of() -> Callable[..., Pictures]:
    """Pictures from (N, S, S, 3) pixels, their originals 640 x 480 px unless told."""

    def make(images: NDArray[np.uint8], sizes: list[tuple[int, int]] | None = None) -> Pictures:
        return Pictures(
            InMemory(images), lambda: np.array(sizes or [(640, 480)] * len(images), np.int64).reshape(-1, 2)
        )

    return make
