"""A page over a queue of made-up pints, in this process: asked by a client, or by a browser over a real port."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from tests.plan.curves import lever, plan_of
from tests.review.asked import MODEL, item
from tests.serving.serving import PICTURE
from totalml.recipe.review import ReviewRecipe
from totalml.release.signature import Signature
from totalml.review.desk import Desk
from totalml.review.item import CONTROL, UNCERTAIN, Item, table_of
from totalml.review.look_alikes import LookAlike
from totalml.review.page.planned import Planned, planned
from totalml.review.page.shown import Picture, Revealed
from totalml.review.page.site import Site
from totalml.review.reviews import Reviews
from totalml.store import Store

SETTINGS = ReviewRecipe(
    question="Is this a good pint?",
    hint="Look at the head: a good one is a finger high, and dense.",
    words={"dark": "A bad pint", "light": "A good pint"},
    reasons=("too dark", "cut off"),
    shows=("pub",),
)

PLAN = plan_of(lever("tv", (98.0, 100.0, 100.0, 102.0), cost=40.0), lever("radio", (44.0, 45.0, 45.0, 46.0), cost=40.0))


class Pints:
    """Pictures made of their names, and a model that always says the same."""

    def __init__(self) -> None:
        self.gone: set[str] = set()

    def picture(self, name: str) -> Picture | None:
        return None if name in self.gone else Picture(pint(sum(name.encode())), "image/png")

    def revealed(self, item: Item) -> Revealed | None:
        likes = [LookAlike("sample", f"like-{place}", {"label": "dark"}) for place in range(2)]
        return Revealed(
            "The model says: A bad pint. It is almost sure.", "the middle", Picture(pint(7), "image/png"), likes
        )

    def planned(self, item: Item) -> Planned | None:
        return planned(PLAN, item)


def pint(number: int) -> bytes:
    rng = np.random.default_rng(number)
    pixels = np.full((240, 180, 3), 200, np.uint8)
    head = int(rng.integers(20, 90))
    pixels[30 : 30 + head, 50:130] = (245, 235, 214)
    pixels[30 + head : 210, 50:130] = (30, 18, 14)
    out = BytesIO()
    Image.fromarray(pixels + rng.integers(0, 8, pixels.shape, np.uint8)).save(out, "PNG")
    return out.getvalue()


def pints(count: int, queue: str = UNCERTAIN, **more: Any) -> list[Item]:
    return [
        item(number, queue, pictures=(f"pint-{number}",), facts={"pub": "Mulligan's <b>", "price": 6.5}, **more)
        for number in range(count)
    ]


def site_of(
    folder: Path, items: list[Item], settings: ReviewRecipe = SETTINGS, signature: Signature = PICTURE, **more: Any
) -> Site:
    reviews = Reviews(Store(folder), MODEL)
    reviews.queue(table_of(items), "made-up pints")
    return Site(Desk(reviews, settings), signature, Pints(), **more)


class Reviewer:
    """Somebody at the page, without any script."""

    def __init__(self, site: Site, name: str = "eve") -> None:
        self.site, self.name = site, name
        self.client = TestClient(site.app(), base_url="http://pub.example", follow_redirects=False)
        self.token = site.desk.reviews.invite(name, 1)

    def sign_in(self) -> Reviewer:
        assert self.client.get(f"/in/{self.token}").status_code == 200
        return self

    def fields(self, page: str | None = None) -> dict[str, str]:
        """What the form of the page holds."""
        page = page if page is not None else self.client.get("/").text
        form = page[page.index("<article") :]
        return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]+)"', form))

    def judge(self, **said: Any) -> Any:
        return self.client.post("/verdicts", data=self.fields() | said)


@contextmanager
def at_a_port(site: Site, port: int = 0) -> Iterator[str]:
    """Its address."""
    import uvicorn

    config = uvicorn.Config(site.app(), host="127.0.0.1", port=port, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive(), "the page ended before it had started"
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


__all__ = ["CONTROL", "MODEL", "SETTINGS", "Pints", "Reviewer", "at_a_port", "pint", "pints", "site_of"]
