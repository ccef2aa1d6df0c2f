import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.features.drawn import SIZE, photo, save_photos
from totalml.data import UnreadableImage, decode
from totalml.errors import FeatureError
from totalml.features import decoding, pixels
from totalml.features.image_rows import ImageRows
from totalml.features.segments import PIXELS, DamagedSegmentError, open_segments, write_segment
from totalml.recipe import ImageFeatures


def test_a_row_is_the_picture_decoded_and_fitted(photos, snap, build):
    features = build(snap(photos))
    for row, name in enumerate(features.ids):
        direct = pixels.to_pixels(decode((photos / name).read_bytes(), 1.0), ImageFeatures(size=SIZE))
        assert np.array_equal(features.images.gather(np.array([row]))[0], direct)


def test_a_folder_of_photos_has_a_row_of_no_columns_for_every_sample(photos, snap, build):
    features = build(snap(photos))
    assert features.numeric.shape == features.categorical.shape == (10, 0)


def test_rows_are_gathered_in_the_order_asked_for_with_repeats(photos, snap, build):
    images = build(snap(photos)).images
    rows = np.array([7, 0, 7, 3])
    one_by_one = [images.gather(np.array([row]))[0] for row in rows]
    assert np.array_equal(images.gather(rows), np.stack(one_by_one))


def test_what_is_gathered_is_a_copy_that_may_be_changed(photos, snap, build):
    images = build(snap(photos)).images
    before = images.gather(np.array([0]))
    images.gather(np.array([0]))[:] = 0
    assert np.array_equal(images.gather(np.array([0])), before)
    assert before.any()


def test_new_photos_are_decoded_alone(photos, snap, build, monkeypatch):
    first = build(snap(photos))
    assert (first.decoded, first.reused) == (10, 0)
    save_photos(photos, range(10, 13), "bad")
    decodes = []
    monkeypatch.setattr(decoding, "decode", lambda *args, **options: decodes.append(1) or decode(*args, **options))
    second = build(snap(photos))
    assert (second.decoded, second.reused, len(decodes)) == (3, 10, 3)


def test_rows_from_several_segments_equal_rows_from_one(photos, snap, build, tmp_path):
    build(snap(photos))
    save_photos(photos, range(10, 13), "bad")
    grown = build(snap(photos))
    grown_rows = grown.images.gather(np.arange(len(grown)))
    direct = [
        pixels.to_pixels(decode((photos / name).read_bytes(), 1.0), ImageFeatures(size=SIZE)) for name in grown.ids
    ]
    assert len(grown.images._segments) == 2
    assert np.array_equal(grown_rows, np.stack(direct))


@given(st.lists(st.integers(0, 8), max_size=30))
def test_gather_equals_a_loop_over_samples(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("segments")
    whole = np.random.default_rng(0).integers(0, 256, (9, 2, 2, 3), np.uint8)
    parts = [
        write_segment(folder, [str(i) for i in part], whole[part], PIXELS) for part in ([0, 3], [1, 2, 8], [4, 5, 6, 7])
    ]
    images = ImageRows(parts, np.array([0, 1, 1, 0, 2, 2, 2, 2, 1]), np.array([0, 0, 1, 1, 0, 1, 2, 3, 2]))
    assert np.array_equal(images.gather(np.array(rows, np.int64)), whole[rows].reshape(-1, 2, 2, 3))


def test_one_picture_under_two_names_is_decoded_once(photos, snap, build):
    (photos / "good" / "again.png").write_bytes((photos / "good" / "0000.png").read_bytes())
    features = build(snap(photos))
    assert features.decoded == 10
    twins = [features.ids.index(f"good/{name}.png") for name in ("0000", "again")]
    first, second = features.images.gather(np.array(twins))
    assert np.array_equal(first, second)


def test_another_size_is_another_feature_set(photos, snap, build):
    snapshot = snap(photos)
    small, large = build(snapshot), build(snapshot, size=24)
    assert large.decoded == 10
    assert small.key != large.key
    assert large.images.shape == (24, 24, 3)


def test_the_same_definition_gives_the_same_key_and_decodes_nothing(photos, snap, build):
    first, second = build(snap(photos)), build(snap(photos))
    assert first.key == second.key
    assert second.decoded == 0


def test_two_builders_at_once_decode_once(photos, snap, build):
    snapshot, found = snap(photos), []
    threads = [threading.Thread(target=lambda: found.append(build(snapshot))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(features.decoded for features in found) == [0, 10]
    assert np.array_equal(*(features.images.gather(np.arange(10)) for features in found))


def segment_folder(store) -> Path:
    return next((store.root / "features").glob("*/segments"))


def test_a_truncated_segment_is_noticed_and_decoded_again(photos, snap, build, store):
    before = build(snap(photos)).images.gather(np.arange(10))
    file = next(segment_folder(store).glob("*/pixels.u8"))
    file.write_bytes(file.read_bytes()[:-1])
    again = build(snap(photos))
    assert again.decoded == 10
    assert np.array_equal(again.images.gather(np.arange(10)), before)


def test_a_flipped_bit_is_found_and_its_pictures_are_decoded_again(photos, snap, build, store):
    built = build(snap(photos)).images
    built.verify()
    file = next(segment_folder(store).glob("*/pixels.u8"))
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(data)
    with pytest.raises(DamagedSegmentError, match="Delete the folder"):
        built.verify()
    assert build(snap(photos)).decoded == 10


def test_a_crash_while_writing_leaves_no_segment(tmp_path):
    def rows():
        yield np.zeros((2, 2, 3), np.uint8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_segment(tmp_path, ["a", "b"], rows(), PIXELS)
    assert open_segments(tmp_path, PIXELS) == ([], [])


def test_a_picture_that_can_no_longer_be_decoded_is_named(photos, snap, build, monkeypatch):
    snapshot = snap(photos)

    def broken(*args, **options):
        raise UnreadableImage("cut off")

    monkeypatch.setattr(decoding, "decode", broken)
    with pytest.raises(FeatureError, match=r"'bad/0006.png' cannot be decoded: cut off"):
        build(snapshot)


@pytest.mark.parametrize(("width", "height"), [(40, 30), (30, 40), (31, 31)])
def test_crop_keeps_the_centre(width, height):
    picture = np.zeros((height, width, 3), np.uint8)
    side = min(width, height)
    top, left = (height - side) // 2, (width - side) // 2
    picture[top : top + side, left : left + side] = 255
    fitted = fit(picture, "crop")
    assert fitted.min() >= 255 - 64  # half a source pixel of the border may shine through
    assert (fitted[2:-2, 2:-2] == 255).all()


def test_pad_keeps_the_whole_picture_on_mid_grey():
    fitted = fit(np.full((20, 40, 3), 255, np.uint8), "pad")
    assert (fitted[4:12] == 255).all()
    assert (fitted[:4] == 128).all()
    assert (fitted[12:] == 128).all()


def test_stretch_uses_every_corner():
    picture = photo(3, 64, 32)
    fitted = fit(picture, "stretch").astype(int)
    assert fitted.shape == (SIZE, SIZE, 3)
    means = [
        [picture[rows, columns].mean() for columns in (slice(32), slice(32, 64))] for rows in (slice(16), slice(16, 32))
    ]
    found = [
        [fitted[rows, columns].mean() for columns in (slice(8), slice(8, 16))] for rows in (slice(8), slice(8, 16))
    ]
    assert np.allclose(found, means, atol=3)


def test_a_picture_of_the_right_size_is_left_alone():
    picture = photo(5, SIZE, SIZE)
    for how in ("crop", "pad", "stretch"):
        assert np.array_equal(fit(picture, how), picture)


def fit(picture, how):
    from PIL import Image

    return pixels.to_pixels(Image.fromarray(picture), ImageFeatures(size=SIZE, fit=how))
