"""What may be shown of an item after its verdict: what the model says, where it looked, and labelled pictures like it.

Each is found when it is asked for, and is not there where the release cannot tell it; nothing here needs torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.errors import DataError, StoreError
from totalml.release.bundle import MODEL
from totalml.release.scorer import Scorer
from totalml.release.signature import Signature
from totalml.review.in_words import said_of
from totalml.review.look_alikes import LookAlike, LookAlikes
from totalml.review.pictures import DECODING, raw_picture

if TYPE_CHECKING:
    from totalml.release.bundle import Bundle
    from totalml.release.scorer import Scored
    from totalml.review.item import Item
    from totalml.store import Store


@dataclass(frozen=True)
class Looked:
    """Args: png: the picture as the model saw it, dark where nothing spoke for its answer. where: in words."""

    png: bytes
    where: str


class Evidence:
    """Of one release, for many items and threads.

    Args: words: label -> what people call it.
    """

    def __init__(self, store: Store, bundle: Bundle, words: Mapping[str, str]) -> None:
        self._store, self._bundle, self._words = store, bundle, words
        self._signature = Signature.read(bundle)

    def answer(self, item: Item) -> str:
        """In words, with how sure it is; empty: this release gave none."""
        return said_of(item.answer, self._signature, self._words) if item.release == self._bundle.hash else ""

    def looked(self, item: Item) -> Looked | None:
        """Raises: StoreError: the picture is gone. DataError: it cannot be decoded."""
        from totalml.report.overlays import overlaid, where

        scorer = self._scorer
        if scorer is None or not scorer.explains or (seen := self._seen(item, scorer)) is None:
            return None
        image, scored = seen
        if scored.maps is None:
            return None
        heat = np.maximum(scored.maps[0, int(scored.scores[0].argmax())], 0)
        map_ = (255 * heat / (float(heat.max()) or 1.0)).astype(np.uint8)
        return Looked(_png(overlaid(image, map_[None])[0]), where(map_))

    def look_alikes(self, item: Item) -> list[LookAlike]:
        """The nearest first, and never the item itself. Raises: as `looked`."""
        scorer = self._scorer
        if scorer is None or (seen := self._seen(item, scorer)) is None or seen[1].embeddings is None:
            return []
        return self._known.nearest(seen[1].embeddings[0], item) if self._known else []

    def _seen(self, item: Item, scorer: Scorer) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], Scored] | None:
        """What the model sees of it, and says of that now; None: not by a picture alone."""
        if not item.pictures or scorer.image is None or self._signature.columns:
            return None
        data = raw_picture(item.pictures[0], self._store)
        with DECODING:
            inputs = scorer.inputs([item.item], [data])
        return inputs["image"], scorer.score(inputs, explain=scorer.explains)

    @cached_property
    def _scorer(self) -> Scorer | None:
        return Scorer.load(self._bundle) if MODEL in self._bundle else None

    @cached_property
    def _known(self) -> LookAlikes | None:
        try:
            return LookAlikes.load(self._store, self._bundle, self._signature)
        except (DataError, StoreError):  # without a reference, or where its pictures are in another store
            return None


def _png(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    from PIL import Image

    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()
