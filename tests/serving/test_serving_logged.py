"""Pictures are measured many at once, and yet each row tells of its own."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pyarrow as pa

from tests.serving.serving import PICTURE, picture, release
from totalml.data.image_properties import image_properties
from totalml.errors import StoreError
from totalml.serving import prediction_log
from totalml.serving.batcher import inputs_of
from totalml.serving.exchange import Answered, Arm, Asked
from totalml.serving.loading import load
from totalml.serving.logged import Noted, measured_of
from totalml.serving.prediction_log import PredictionLog
from totalml.store import Store

ARM = Arm("live", SimpleNamespace(nothing=None, scorer=SimpleNamespace(signature=SimpleNamespace(columns=()))))


def noted(pixels: np.ndarray | None, request_id: str = "order", pictures: tuple[bytes, ...] = (b"",)) -> Noted:
    """Args: pixels: None: it was refused."""
    asked = Asked(request_id, [""] * len(pictures), list(pictures), None)
    ended = ValueError("no picture")
    if pixels is not None:
        ended = Answered(ARM, SimpleNamespace(), 0, len(pixels), {"image": pixels})
    return Noted(datetime.now(UTC), asked, ARM, ended, 0.1)


def random_pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, (*shape, 3), np.uint8)


def test_each_request_has_the_properties_of_its_own_pictures():
    seen = [random_pixels(1, 9, 9), random_pixels(2, 16, 16), None, random_pixels(3, 9, 9), random_pixels(1, 16, 16)]
    measured = measured_of([noted(pixels) for pixels in seen])
    for pixels, found in zip(seen, measured, strict=True):
        alone = {} if pixels is None else image_properties(pixels)
        assert found.properties.keys() == alone.keys()
        for name, values in alone.items():
            np.testing.assert_array_equal(found.properties[name], values)


def test_pictures_that_two_releases_saw_are_measured_once(monkeypatch):
    from totalml.serving import logged

    counts = []

    def counted(pixels: np.ndarray) -> dict[str, np.ndarray]:
        counts.append(len(pixels))
        return {"n": pixels[:, 0, 0, 0]}

    monkeypatch.setattr(logged, "image_properties", counted)
    both, other = random_pixels(2, 9, 9), random_pixels(1, 9, 9)
    found = [each.properties["n"].tolist() for each in measured_of([noted(both), noted(other), noted(both)])]
    assert counts == [3]
    assert found == [both[:, 0, 0, 0].tolist(), other[:, 0, 0, 0].tolist(), both[:, 0, 0, 0].tolist()]


def test_a_shadow_decodes_only_what_it_sees_otherwise(tmp_path):
    store = Store(tmp_path)
    signatures = (PICTURE, PICTURE, replace(PICTURE, max_megapixels=2.0))
    live, alike, other = (load(release(store, 0.25 * n, each), 1) for n, each in enumerate(signatures, start=1))
    asked = Asked("order", ["a"], [picture(200)], None)
    seen = live.scorer.inputs(asked.ids, asked.pictures)
    asked.seen = Answered(Arm("live", live), live.nothing, 0, 1, seen)
    assert inputs_of(asked, alike.scorer)["image"] is seen["image"]
    again = inputs_of(asked, other.scorer)["image"]
    assert again is not seen["image"]
    np.testing.assert_array_equal(again, seen["image"])


def test_what_cannot_be_kept_harms_no_other(monkeypatch):
    from totalml.serving import logged

    hashed = logged.input_hash
    monkeypatch.setattr(logged, "input_hash", lambda picture, row: hashed(picture, row) if picture else 1 / 0)
    some = [noted(random_pixels(1, 4, 4), pictures=(picture,)) for picture in (b"first", b"", b"third")]
    first, second, third = measured_of(some)
    assert isinstance(second, ZeroDivisionError)
    assert first.hashes != third.hashes


def test_what_cannot_be_measured_is_told_of_each():
    told = measured_of([noted(random_pixels(1, 4, 4)[..., :2]), noted(random_pixels(1, 5, 5))])
    assert [type(each) for each in told] == [ValueError, ValueError]


def test_what_is_held_are_the_pictures_as_sent_and_as_seen():
    assert noted(random_pixels(1, 4, 4), pictures=(b"12345",)).held == 5 + 4 * 4 * 3
    assert noted(None, pictures=(b"12345", b"1")).held == 6


def test_of_a_second_that_cannot_be_written_whole_nothing_stays(tmp_path, monkeypatch, capfd):
    """Where the small file of a canary fits on a disk, and that of what answers the rest does not."""
    store = Store(tmp_path)
    log = PredictionLog(store, "pints")
    releases = {"live": "blake3:" + "0" * 64, "canary": "blake3:" + "1" * 64}
    arms = [Arm(name, SimpleNamespace(release=release)) for name, release in releases.items()]
    some = [SimpleNamespace(ids=["a"], when=datetime.now(UTC), arm=arm) for arm in arms]
    monkeypatch.setattr(prediction_log, "table_of", lambda measured, *_: pa.table({"id": measured[0].ids}))
    save = Store.save_file

    def full(store: Store, data: bytes, *parts: str) -> None:
        if "00000000" in parts[-1]:
            raise StoreError("no space left")
        save(store, data, *parts)

    with monkeypatch.context() as disk:
        disk.setattr(Store, "save_file", full)
        log._measured = some
        log._flush()
    assert (log.written, log.dropped, store.files("predictions")) == (0, 2, [])
    assert "lost 2 rows of the prediction log: no space left" in capfd.readouterr().err
    log._measured = some
    log._flush()
    assert (log.written, log.dropped, len(store.files("predictions"))) == (2, 2, 2)
