"""Items to ask about, made of nothing but numbers."""

from __future__ import annotations

from totalml.recipe.review import ReviewRecipe
from totalml.review.desk import Desk
from totalml.review.item import CONTROL, Item, table_of
from totalml.review.reviews import Reviews
from totalml.store import Store

MODEL = "pints"


def item(number: int, queue: str = CONTROL, **more: object) -> Item:
    answer = {"predicted": "light", "confidence": 0.9, "p:dark": 0.1, "p:light": 0.9}
    known = {"request_id": f"order-{number}", "release": "blake3:" + "a" * 64, "answer": answer, "drawn_of": 100}
    return Item(queue=queue, **{**known, **more})  # type: ignore[arg-type]


def asked(store: Store, count: int, settings: ReviewRecipe | None = None, **more: object) -> Desk:
    """A desk with so many items in one batch."""
    reviews = Reviews(store, MODEL)
    reviews.queue(table_of(item(number) for number in range(count)), "numbers")
    return Desk(reviews, settings or ReviewRecipe(), **more)  # type: ignore[arg-type]
