"""A release whose samples lie in a snapshot, requests of which pictures are kept, and what people say of both."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from tests.review.judged import verdict
from tests.review.queues.traffic import MODEL, NOW, keep_pictures, logged, remade, rows
from tests.serving.serving import PICTURE, promote, release
from totalml.data import ImageFolder, Snapshot, take_snapshot
from totalml.prediction_log.sampled_pictures import kept_pictures
from totalml.recipe import DataRecipe
from totalml.release.bundle import Bundle
from totalml.review.item import Item, table_of
from totalml.review.reviews import Reviews
from totalml.store import Store

RECIPE = b"name: pints\n"
WHEN = datetime(2026, 11, 1, tzinfo=UTC)


def picture_of(number: int) -> bytes:
    pixels = np.random.default_rng([7, number]).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def snapshot_of(folder: Path, store: Store, count: int = 8) -> Snapshot:
    """`dark/0.png`, `light/1.png` ..."""
    for number in range(count):
        path = folder / ("light" if number % 2 else "dark") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture_of(number))
    return take_snapshot(DataRecipe(source=ImageFolder(root=str(folder))), store)


def released(store: Store, parent: Snapshot) -> Bundle:
    """In production."""
    bundle = release(store, signature=PICTURE)
    facts = {**bundle.facts, "data_hash": parent.data_hash}
    made = remade(store, Bundle(bundle.folder, facts, bundle.files), recipe_yaml=RECIPE)
    promote(store, made)
    return made


def asked_of(store: Store, bundle: Bundle, count: int = 6) -> list[Item]:
    """Requests in the log with their pictures, and the items about them."""
    table = rows(count, bundle.hash)
    logged(store, table)
    keep_pictures(store, table)
    kept = kept_pictures(store, MODEL, table["input"].to_pylist())
    return [
        Item(
            queue="control",
            request_id=row["request_id"],
            id=row["id"],
            input=row["input"],
            pictures=(kept[row["input"]],),
            release=bundle.hash,
            answer={"predicted": row["answer:predicted"]},
            time=NOW,
        )
        for row in table.to_pylist()
    ]


def of_parent(parent: Snapshot, sample: str) -> Item:
    return Item(queue="doubtful", sample=sample, data_hash=parent.data_hash)


def reviews_of(store: Store, *said: tuple[Item, str | None, str]) -> Reviews:
    """Args: said: item, label (None: cannot tell; "other": another subject), and who."""
    reviews = Reviews(store, MODEL)
    reviews.queue(table_of({item.item: item for item, _, _ in said}.values()), "a test")
    given = [
        verdict(item, None, who, answer={"wrong_subject": True}) if label == "other" else verdict(item, label, who)
        for item, label, who in said
    ]
    reviews.say(given)
    return reviews
