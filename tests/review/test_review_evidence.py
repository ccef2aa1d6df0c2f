"""What is shown after a verdict is what the release says, sees and knows; pictures are made anew."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from blake3 import blake3
from PIL import Image

from tests.review.queues.traffic import MODEL, NOW, answers
from tests.serving.serving import LABELS, NUMBERS, PICTURE, SIZE, onnx_of, picture, release, with_maps
from totalml.data.image import UnreadableImage
from totalml.data.snapshot import parquet_bytes
from totalml.errors import StoreError
from totalml.identity import PREFIX
from totalml.prediction_log.sampled_pictures import remove_pictures, save_picture
from totalml.release.bundle import Bundle
from totalml.review.evidence import Evidence
from totalml.review.in_words import band, confidence_of, said_of
from totalml.review.item import CONTROL, UNCERTAIN, Item
from totalml.review.pictures import LONGEST, Pictures, picture_of
from totalml.store import Store

HASH = "blake3:" + "5" * 64
NAME = f"pictures/{MODEL}/{NOW:%Y-%m-%d}/{'5' * 64}"
GREYS = [10 * n for n in range(20)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def blobs(store: Store, pictures: list[bytes]) -> list[str]:
    with store.writing() as writer:
        for each in pictures:
            writer.add(blake3(each).digest(), each)
    return [PREFIX + blake3(each).hexdigest() for each in pictures]


def item(**more: object) -> Item:
    return Item(**{"queue": UNCERTAIN, "request_id": "order-1", "id": "a", "input": HASH, "pictures": (NAME,), **more})


def test_a_picture_is_made_anew_small_and_without_what_its_file_tells(store):
    out, exif = BytesIO(), Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a phone"  # on its side
    Image.fromarray(np.full((900, 3000, 3), 90, np.uint8)).save(out, "JPEG", exif=exif)
    save_picture(store, MODEL, NOW, HASH, out.getvalue())
    shown = picture_of(NAME, store, 4.0)
    assert b"a phone" in out.getvalue()
    assert b"a phone" not in shown
    with Image.open(BytesIO(shown)) as made:
        assert (made.format, made.height) == ("JPEG", LONGEST)
        assert made.width == round(LONGEST * 0.3)
    (blob,) = blobs(store, [out.getvalue()])
    assert picture_of(blob, store, 4.0) == shown
    with pytest.raises(UnreadableImage, match="megapixels"):
        picture_of(NAME, store, 1.0)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        f"pictures/{MODEL}/2026-11-28/../../../secret",
        f"pictures/../{MODEL}/2026-11-28/{'5' * 64}",
        f"pictures/{MODEL}/2026-11-28/{'5' * 64}\n",
        f"predictions/{MODEL}/2026-11-28/{'5' * 64}",
        "blake3:" + "5" * 64,
        NAME,
    ],
)
def test_what_names_no_picture_is_not_read(store, name):
    with pytest.raises(StoreError):
        picture_of(name, store, 4.0)


def test_what_is_no_picture_is_told_and_what_was_deleted_is_not_shown_again(store):
    save_picture(store, MODEL, NOW, HASH, b"no picture at all")
    with pytest.raises(UnreadableImage, match="not a picture"):
        picture_of(NAME, store, 4.0)
    save_picture(store, MODEL, NOW, HASH, picture(7))
    pictures = Pictures(store, 4.0, held=1)
    assert pictures.shown(NAME) == pictures.shown(NAME) == picture_of(NAME, store, 4.0)
    remove_pictures(store, MODEL, [HASH])
    with pytest.raises(StoreError, match="gone"):
        pictures.shown(NAME)


@pytest.mark.parametrize(
    ("chance", "told"),
    [(0.98, "almost sure"), (0.9, "fairly sure"), (0.7, "rather unsure"), (0.55, "little better than a guess")],
)
def test_how_sure_it_is_is_told_in_words(chance, told):
    answer = {"predicted": "light", "p:light": chance, "p:dark": 1 - chance}
    plain = replace(PICTURE, decision={})
    assert told in said_of(answer, plain, {})
    assert "Best pint" in said_of(answer, plain, {"light": "Best pint"})


def test_a_release_that_is_too_sure_is_told_as_sure_as_it_is_right():
    answer = {"predicted": "light", "p:light": 0.98, "p:dark": 0.02}
    assert confidence_of(answer, replace(PICTURE, decision={"temperature": 2.0})) == pytest.approx(7 / 8)  # sqrt(49)
    assert confidence_of(answer, PICTURE) == pytest.approx(0.98)


def test_one_in_two_of_ten_classes_is_no_guess():
    assert band(0.5, 2) == band(0.1, 10)
    assert band(0.5, 10) != band(0.5, 2)
    assert band(float("nan"), 2) == "silent about how sure it is"


def test_labels_and_numbers_are_told_in_words_too():
    labels = {"predicted": ["dark"], "p:dark": 0.99, "p:light": 0.45}
    assert "dark. Of the one that it is least sure of, it is unsure" in said_of(labels, LABELS, {})
    numbers = {"value:dark": 12.345, "lower:dark": 10.0, "upper:dark": 14.0, "value:light": 2.0}
    told = said_of(numbers, replace(NUMBERS, units={"dark": "mm"}), {})
    assert told == "The model says: dark 12.35 mm, and most likely between 10 and 14; light 2."
    thousands = {"value:dark": 30421.3, "lower:dark": 9876.5, "upper:dark": 1234567.0}
    assert said_of(thousands, NUMBERS, {}).endswith("dark 30,421, and most likely between 9,876 and 1,234,567.")
    assert said_of({}, PICTURE, {}) == ""


def knowing(store: Store, monkeypatch) -> tuple[Bundle, list[str]]:
    """A release whose reference are grey pictures, embedded by how bright they are; every other one is of the test."""
    found = blobs(store, [picture(grey) for grey in GREYS])
    names = [f"pint-{n:02}" for n in range(len(GREYS))]
    light = np.array(GREYS) / 255

    class Held:
        samples = pa.table({"id": names, "blob": found})

    monkeypatch.setattr("totalml.review.queues.from_test.load_snapshot", lambda *_: Held)
    columns = {"id": names, "split": ["test" if n % 2 else "validation" for n in range(len(GREYS))]}
    columns |= {"label": [f"grey {n}" for n in GREYS], **answers(light)}
    columns["embedding"] = pa.FixedSizeListArray.from_arrays(pa.array(light.astype(np.float32)), 1)
    return release(store, model=with_maps(onnx_of(PICTURE, 1.0)), reference=parquet_bytes(pa.table(columns))), found


def test_look_alikes_are_the_nearest_labelled_ones_and_neither_itself_nor_of_the_test_split(store, monkeypatch):
    bundle, found = knowing(store, monkeypatch)
    evidence = Evidence(store, bundle, {})
    save_picture(store, MODEL, NOW, HASH, picture(63))
    alike = evidence.look_alikes(item())
    assert [each.label for each in alike] == [{"label": f"grey {n}"} for n in (60, 80, 40, 100)]
    assert [each.picture for each in alike] == [found[n] for n in (6, 8, 4, 10)]
    of_the_data = item(request_id=None, sample="pint-06", pictures=(found[6],))
    assert "pint-06" not in [each.sample for each in evidence.look_alikes(of_the_data)]
    assert len(evidence.look_alikes(of_the_data)) == 4


def test_the_map_is_bright_where_the_model_looked(store, monkeypatch):
    bundle, _ = knowing(store, monkeypatch)
    pixels = np.full((SIZE, SIZE, 3), 190, np.uint8)
    pixels[:2, -2:] = 255
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    save_picture(store, MODEL, NOW, HASH, out.getvalue())
    looked = Evidence(store, bundle, {}).looked(item())
    assert looked is not None
    with Image.open(BytesIO(looked.png)) as made:
        assert made.size == (SIZE, SIZE)
    assert looked.where == "in the upper right"


def test_what_a_release_cannot_tell_is_not_there(store):
    plain = release(store)
    evidence = Evidence(store, plain, {})
    save_picture(store, MODEL, NOW, HASH, picture(63))
    assert evidence.looked(item()) is None
    assert evidence.look_alikes(item()) == []
    assert evidence.look_alikes(item(pictures=())) == []
    said = {"predicted": "light", "p:light": 0.98, "p:dark": 0.02}
    assert evidence.answer(item(answer=said, release=plain.hash)) == "The model says: light. It is almost sure."
    assert evidence.answer(item(answer=said, release="blake3:" + "6" * 64)) == ""
    assert item(queue=CONTROL).is_blind
