"""A mask stands where its picture stands, whatever the shape of the square."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from totalml.data.image import UnreadableImage, decode_mask, pgm
from totalml.errors import FeatureError
from totalml.features.masks import masks_of, to_square
from totalml.features.pixels import to_pixels
from totalml.recipe import ImageFeatures

SIZES = [(37, 90), (90, 37), (64, 64), (200, 150), (30, 300)]


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", SIZES)
def test_a_mask_goes_where_its_picture_goes(size, fit):
    height, width = size
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : height // 2 + 1, width // 3 :] = 1
    picture = Image.fromarray(np.repeat(255 * mask[..., None], 3, axis=2))
    image = ImageFeatures(size=48, fit=fit)
    pixels = to_pixels(picture, image)[..., 0].astype(int)
    square = to_square(mask, image)
    # Grey are edges and what pads; all that is clearly lit or dark must say the same.
    lit, dark = pixels > 200, pixels < 55
    assert lit.any()
    assert (square[lit] == 1).all()
    assert (square[dark] == 0).all()


def test_values_are_never_mixed():
    mask = np.random.default_rng(0).choice(np.array([0, 3, 5, 12], np.uint8), (101, 77))
    for fit in ("crop", "pad", "stretch"):
        assert set(np.unique(to_square(mask, ImageFeatures(size=33, fit=fit)))) <= {0, 3, 5, 12}


def encoded(mode: str, kind: str = "PNG", size: int = 10) -> bytes:
    file = BytesIO()
    Image.new(mode, (size, size), 1).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_a_mask_of_one_channel_is_read_as_it_is_stored(mode):
    assert (decode_mask(encoded(mode), 1.0) == 1).all()


@pytest.mark.parametrize("mode", ["RGB", "I;16", "LA"])
def test_a_picture_of_more_is_no_mask(mode):
    with pytest.raises(UnreadableImage, match="one channel of 8 bits"):
        decode_mask(encoded(mode), 1.0)


def test_a_mask_too_large_is_refused_by_its_header():
    with pytest.raises(UnreadableImage, match="megapixels"):
        decode_mask(b"P5\n100000 100000\n255\n", 1.0)


class Blobs(dict[str, bytes]):
    """Stands for a store."""

    def read_many(self, digests):
        return (self[digest] for digest in digests)


def test_masks_come_in_the_order_asked_for_and_a_bad_one_is_named():
    store = Blobs({name: pgm(np.full((8, 8), value, np.uint8)) for name, value in (("a", 1), ("b", 2))})
    image = ImageFeatures(size=8)
    assert masks_of(["b", "a", "b"], image, 1.0, store)[:, 0, 0].tolist() == [2, 1, 2]
    store["c"] = encoded("RGB")
    with pytest.raises(FeatureError, match=r"the mask c cannot be read: .* one channel of 8 bits"):
        masks_of(["a", "c"], image, 1.0, store)
