"""What the page asks the house for: pictures, and what the model made of an item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from totalml.review.item import Item
from totalml.review.look_alikes import LookAlike
from totalml.review.page.planned import Planned


@dataclass(frozen=True)
class Picture:
    """Encoded anew, so that nothing but a picture is sent. Args: kind: its media type."""

    data: bytes
    kind: str


@dataclass(frozen=True)
class Revealed:
    """What is told once a verdict is given.

    Args:
        answer: of the model, in the recipe's words, and how sure it is.
        where: it looked, in words.
        map: the same, laid over the picture; None: it does not say.
    """

    answer: str
    where: str = ""
    map: Picture | None = None
    look_alikes: Sequence[LookAlike] = ()


class Shows(Protocol):
    def picture(self, name: str) -> Picture | None:
        """By its name in an item. None: it is gone, such as by a deletion on request."""

    def revealed(self, item: Item) -> Revealed | None:
        """None: nothing has answered it."""

    def planned(self, item: Item) -> Planned | None:
        """Of a plan or a curve. None: its release is gone."""
