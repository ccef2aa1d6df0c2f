"""What the page shows of a release: pictures of the store, and what the release makes of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from totalml.errors import DataError, StoreError
from totalml.review.evidence import Evidence, Looked
from totalml.review.page.shown import Picture, Revealed
from totalml.review.pictures import MEDIA_TYPE, Pictures

if TYPE_CHECKING:
    from totalml.recipe.review import ReviewRecipe
    from totalml.release.bundle import Bundle
    from totalml.release.signature import Signature
    from totalml.review.item import Item
    from totalml.review.look_alikes import LookAlike
    from totalml.store import Store

HELD = 256  # items that were judged lately, of which a page asks for the map and look-alikes one by one


class OfRelease:
    """For many threads at once."""

    def __init__(self, store: Store, bundle: Bundle, signature: Signature, settings: ReviewRecipe) -> None:
        self._pictures = Pictures(store, signature.max_megapixels)
        self._evidence = Evidence(store, bundle, settings.words)
        self._held: OrderedDict[str, Revealed | None] = OrderedDict()
        self._lock = threading.Lock()

    def picture(self, name: str) -> Picture | None:
        try:
            return Picture(self._pictures.shown(name), MEDIA_TYPE)
        except (StoreError, DataError):
            return None

    def revealed(self, item: Item) -> Revealed | None:
        with self._lock:
            if item.item in self._held:
                return self._held[item.item]
        found = self._found(item)
        with self._lock:
            self._held[item.item] = found
            while len(self._held) > HELD:
                self._held.popitem(last=False)
        return found

    def _found(self, item: Item) -> Revealed | None:
        answer = self._evidence.answer(item)
        looked, alike = self._looked(item)
        if not answer and looked is None:
            return None
        where, map_ = (looked.where, Picture(looked.png, "image/png")) if looked else ("", None)
        return Revealed(answer, where, map_, alike)

    def _looked(self, item: Item) -> tuple[Looked | None, Sequence[LookAlike]]:
        """Nothing where its picture was deleted meanwhile."""
        try:
            return self._evidence.looked(item), self._evidence.look_alikes(item)
        except (StoreError, DataError):
            return None, ()
