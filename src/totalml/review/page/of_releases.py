"""What the page shows: pictures of the store, and what the release that answered makes of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from totalml.errors import DataError, StoreError
from totalml.plan.record import Plan
from totalml.release.bundle import PLAN, open_bundle
from totalml.review.evidence import Evidence, Looked
from totalml.review.page.planned import Planned, planned
from totalml.review.page.shown import Picture, Revealed
from totalml.review.pictures import MEDIA_TYPE, Pictures

if TYPE_CHECKING:
    from totalml.recipe.review import ReviewRecipe
    from totalml.release.signature import Signature
    from totalml.review.item import Item
    from totalml.review.look_alikes import LookAlike
    from totalml.store import Store

OPEN = 4  # releases: items of one that was in production before may still wait
HELD = 256  # items that were judged lately, of which a page asks for the map and look-alikes one by one


class OfReleases:
    """For many threads at once."""

    def __init__(self, store: Store, signature: Signature, settings: ReviewRecipe) -> None:
        self._store, self._words = store, settings.words
        self._pictures = Pictures(store, signature.max_megapixels)
        self._opened: OrderedDict[str, Evidence] = OrderedDict()
        self._held: OrderedDict[tuple[str, str | None], Revealed | None] = OrderedDict()  # of an item and a release
        self._plans: dict[str, Plan] = {}  # release -> what it planned, the truth left out
        self._lock = threading.Lock()

    def picture(self, name: str) -> Picture | None:
        try:
            return Picture(self._pictures.shown(name), MEDIA_TYPE)
        except (StoreError, DataError):
            return None

    def revealed(self, item: Item) -> Revealed | None:
        asked = (item.item, item.release)
        with self._lock:
            if asked in self._held:
                return self._held[asked]
        found = self._found(item)
        with self._lock:
            self._held[asked] = found
            while len(self._held) > HELD:
                self._held.popitem(last=False)
        return found

    def planned(self, item: Item) -> Planned | None:
        try:
            return planned(self._plan(item.release or ""), item)
        except StoreError:
            return None

    def _plan(self, release: str) -> Plan:
        """Raises: StoreError: it is gone or damaged."""
        if release not in self._plans:
            plan = Plan.from_bytes(open_bundle(release, self._store).read(PLAN))
            self._plans = {release: replace(plan, truth=None)}  # whoever knew it would not judge the model
        return self._plans[release]

    def _found(self, item: Item) -> Revealed | None:
        """Nothing where its release or its picture is gone, or nothing has answered it."""
        try:
            evidence = self._evidence(item.release) if item.release else None
        except StoreError:
            return None
        if evidence is None or not (answer := evidence.answer(item)):
            return None
        looked, alike = self._looked(item, evidence)
        where, map_ = (looked.where, Picture(looked.png, "image/png")) if looked else ("", None)
        return Revealed(answer, where, map_, alike)

    def _evidence(self, release: str) -> Evidence:
        with self._lock:
            if release not in self._opened:
                self._opened[release] = Evidence(self._store, open_bundle(release, self._store), self._words)
            self._opened.move_to_end(release)
            while len(self._opened) > OPEN:
                self._opened.popitem(last=False)
            return self._opened[release]

    def _looked(self, item: Item, evidence: Evidence) -> tuple[Looked | None, Sequence[LookAlike]]:
        """Nothing where its picture was deleted meanwhile."""
        try:
            return evidence.looked(item), evidence.look_alikes(item)
        except (StoreError, DataError):
            return None, ()
