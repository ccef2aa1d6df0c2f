"""Batches of a feature set: gathered by index in the training process, no workers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from totalml.training.keys import mix
from totalml.training.ranks.process_rank import ALONE, ProcessRank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.features import FeatureSet

Batch = dict[str, Tensor]


def batches_of(samples: int, batch_size: int) -> int:
    """How many batches there are: none of a single sample, which no batch normalisation takes, unless all are such."""
    count = -(-samples // batch_size)
    return count if batch_size == 1 else min(count, max(1, samples // 2))


class Batches:
    """A sized iterable over some samples of a feature set, in batches of nearly equal size.

    Args:
        rows: (N,) sample rows.
        batch_size: the largest batch; sizes differ by one at most, and a single sample that would be left joins the
            batch before it.
        keys: (N,) int64 that order the samples and key their augmentation; None: in the order of `rows`.
        place: among the processes that share every batch; each batch then holds this one's part, and the targets of
            all as `all_targets`.
    """

    def __init__(
        self,
        features: FeatureSet,
        rows: NDArray[np.int64],
        batch_size: int,
        keys: Tensor | None = None,
        place: ProcessRank = ALONE,
    ) -> None:
        order = np.arange(len(rows)) if keys is None else torch.argsort(keys, stable=True).numpy()
        self._features = features
        self._rows = rows[order]
        # What is small is put in order once: a slice of it costs less than gathering rows for each batch.
        self._small = {
            "target": torch.from_numpy(features.targets.values[self._rows]),
            "numeric": torch.from_numpy(features.numeric[self._rows]),
            "categorical": torch.from_numpy(features.categorical[self._rows]),
        }
        if keys is not None:
            self._small["key"] = keys[order]
        self._count = batches_of(len(rows), batch_size)
        self._place = place

    @classmethod
    def shuffled(
        cls,
        features: FeatureSet,
        rows: NDArray[np.int64],
        batch_size: int,
        seed: int,
        epoch: int,
        place: ProcessRank = ALONE,
    ) -> Batches:
        """In an order, and with keys, that depend on the samples' ids, the seed and the epoch alone."""
        keys = mix(torch.from_numpy(features.sample_keys[rows]), seed, epoch)
        return cls(features, rows, batch_size, keys, place)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Batch]:
        edges = np.arange(self._count + 1) * len(self._rows) // max(self._count, 1)
        for start, end in pairwise(edges.tolist()):
            batch = self._gather(self._place.share(start, end))
            if not self._place.alone:
                batch["all_targets"] = self._small["target"][start:end]
            yield batch

    def _gather(self, part: slice) -> Batch:
        features, rows = self._features, self._rows[part]
        batch = {name: values[part] for name, values in self._small.items()}
        if features.embeddings is not None:
            batch["embedding"] = torch.from_numpy(features.embeddings.gather(rows))
        elif features.images is not None:
            batch["image"] = torch.from_numpy(features.images.gather(rows))
        return batch
