"""Beside the page: what people said of requests becomes labels soon after, so that whoever asked for it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.background import Background
from totalml.errors import TotalmlError
from totalml.review.learnt.request_labels import keep_labels
from totalml.review.reviews import Reviews
from totalml.terminal import say

if TYPE_CHECKING:
    from totalml.recipe.review import Policy
    from totalml.release.bundle import Bundle
    from totalml.store import Store

EVERY_S = 30.0


class Answering(Background):
    """Reads the reviews by itself, as those of the desk are for another thread."""

    def __init__(self, store: Store, bundle: Bundle, policy: Policy, every_s: float = EVERY_S) -> None:
        super().__init__("answer")
        self._store, self._bundle, self._policy, self._every_s = store, bundle, policy, every_s
        self._reviews, self._looked, self._told = Reviews(store, bundle.name), 0, ""

    def _work(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                if (events := self._reviews.look()) > self._looked:
                    keep_labels(self._reviews, self._bundle, self._policy, self._store)
                    self._looked = events
                self._told = ""
            except TotalmlError as error:  # the store cannot be read at the moment
                if self._told != str(error):
                    say(str(error))
                self._told = str(error)
