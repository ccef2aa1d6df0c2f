"""What is told after a verdict is what the release that the item names has said."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from PIL import Image

from tests.review.asked import MODEL, item
from tests.review.page.sites import SETTINGS, Reviewer, pint
from tests.serving.serving import PICTURE, release
from totalml.recipe.review import ReviewRecipe
from totalml.review import pictures
from totalml.review.desk import Desk
from totalml.review.item import UNCERTAIN, table_of
from totalml.review.page.of_releases import OfReleases
from totalml.review.page.site import Site
from totalml.review.reviews import Reviews
from totalml.store import Store

DAY = "2026-11-28"


def png(width: int, height: int) -> bytes:
    out = BytesIO()
    Image.new("1", (width, height)).save(out, "PNG")
    return out.getvalue()


def test_an_item_that_another_release_answered_later_tells_what_that_one_said(tmp_path):
    store = Store(tmp_path / "store")
    before, after = release(store, 1.0).hash, release(store, 0.5).hash
    shows = OfReleases(store, PICTURE, ReviewRecipe(words={"dark": "A bad pint", "light": "A good pint"}))
    known = {"request_id": None, "sample": "pint-1", "data_hash": "blake3:" + "b" * 64}
    said = {"predicted": "dark", "confidence": 0.8, "p:dark": 0.8, "p:light": 0.2}
    items = [item(1, release=before, **known), item(1, release=after, answer=said, **known)]
    assert items[0].item == items[1].item
    told = [shows.revealed(each) for each in items]
    assert ["A good pint" in each.answer for each in told if each] == [True, False]
    assert ["A bad pint" in each.answer for each in told if each] == [False, True]


def test_a_page_goes_on_whatever_was_sent_as_a_picture(tmp_path):
    store = Store(tmp_path / "store")
    found = {
        "a" * 64: png(20_000, 20_000),  # 400 megapixels in 50 kB
        "b" * 64: pint(1)[:-600],  # cut off
        "c" * 64: b"<svg onload=alert(1)>",
        "d" * 64: b"",
        "e" * 64: pint(2),
    }
    for name, data in found.items():
        store.save_file(data, "pictures", MODEL, DAY, name)
    names = [*found, "f" * 64]  # and one that was deleted meanwhile
    answered = {"release": release(store).hash, "queue": UNCERTAIN}
    items = [item(n, pictures=(f"pictures/{MODEL}/{DAY}/{name}",), **answered) for n, name in enumerate(names)]
    reviews = Reviews(store, MODEL)
    reviews.queue(table_of(items), "the log")
    site = Site(Desk(reviews, SETTINGS), PICTURE, OfReleases(store, PICTURE, SETTINGS))
    eve, seen = Reviewer(site).sign_in(), {}
    for _ in items:
        fields = eve.fields()
        seen[fields["item"]] = eve.client.get(f"/pictures/{fields['item']}/0").status_code
        told = eve.client.post("/verdicts", data=fields | {"label": "light"})
        assert (told.status_code, "The model" in told.text) == (200, True)  # what it said then is known
    assert [seen[each.item] for each in items] == [404, 404, 404, 404, 200, 404]
    assert len(reviews.standing()) == len(items)


def test_pictures_are_decoded_two_at_a_time_however_many_ask(tmp_path, monkeypatch):
    store, most, inside, both = Store(tmp_path / "store"), [0], [0], threading.Barrier(2, timeout=30)

    def decode(data: bytes, *_: object, **__: object) -> Image.Image:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        both.wait()  # two are there at once, so the bound is of more than one
        inside[0] -= 1
        return Image.new("RGB", (4, 4))

    monkeypatch.setattr("totalml.data.image.decode", decode)
    shown = pictures.Pictures(store, 100.0)
    for n in range(8):
        store.save_file(pint(n), "pictures", MODEL, DAY, f"{n:064x}")
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(shown.shown, [f"pictures/{MODEL}/{DAY}/{n:064x}" for n in range(8)]))
    assert most == [2]
