"""What is told after a verdict is what the release that the item names has said."""

from __future__ import annotations

from tests.review.asked import item
from tests.serving.serving import PICTURE, release
from totalml.recipe.review import ReviewRecipe
from totalml.review.page.of_releases import OfReleases
from totalml.store import Store


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
