"""Labelled pictures that are most like one, as the model sees likeness: by the distance of their embeddings.

They are of the validation split of the release's reference: samples of its test split are asked about themselves, and
whoever saw one with its label would not judge it blind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow.compute as pc

from totalml.errors import DataError
from totalml.labels import truth_of
from totalml.monitoring.losses import reference_truths
from totalml.monitoring.observations import EMBEDDING
from totalml.monitoring.tables import reference_of
from totalml.review.queues.from_test import SPLIT, blobs_of

if TYPE_CHECKING:
    from totalml.release.bundle import Bundle
    from totalml.release.signature import Signature
    from totalml.review.item import Item
    from totalml.store import Store

MOST = 4
VALIDATION = "validation"


@dataclass(frozen=True)
class LookAlike:
    """Args: picture: the digest of its blob. label: column of the truth -> value."""

    sample: str
    picture: str
    label: dict[str, Any]


class LookAlikes:
    """Args: embeddings: (N, D) of samples of a snapshot."""

    def __init__(self, embeddings: np.ndarray[Any, np.dtype[np.float32]], known: list[LookAlike]) -> None:
        self._embeddings, self._known = embeddings, known

    @classmethod
    def load(cls, store: Store, bundle: Bundle, signature: Signature) -> Self:
        """Raises: DataError: the release has no reference, or no embeddings. StoreError: its snapshot is not there."""
        rows = reference_of(bundle)
        if EMBEDDING not in rows.column_names or SPLIT not in rows.column_names:
            raise DataError(f"release {bundle.hash} has no embeddings of its reference")
        rows = rows.filter(pc.equal(rows[SPLIT], VALIDATION))
        vectors = rows[EMBEDDING].combine_chunks().flatten().to_numpy().reshape(len(rows), -1)
        pictures = blobs_of(str(bundle.facts.get("data_hash")), rows["id"], store).to_pylist()
        labels = reference_truths(rows, truth_of(signature)).to_pylist()
        every = zip(rows["id"].to_pylist(), pictures, labels, strict=True)
        known = [LookAlike(sample, picture, label) for sample, picture, label in every]
        return cls(vectors, known)

    def nearest(self, embedding: np.ndarray[Any, np.dtype[np.float32]], item: Item) -> list[LookAlike]:
        """At most `MOST`, each picture once, the nearest first, none of the item itself."""
        distances = np.square(self._embeddings - embedding).sum(axis=1)
        found: dict[str, LookAlike] = {}
        for row in np.argsort(distances, kind="stable").tolist():
            each = self._known[row]
            if len(found) == MOST:
                break
            if each.picture and each.picture not in item.pictures and each.sample != item.sample:
                found.setdefault(each.picture, each)
        return [*found.values()]
