"""What an upstream fault does to a sample, and to no other."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from totalml.data.image import decode, ppm
from totalml.data.sample import Sample
from totalml.drill import CoarseJpeg, Cropped, FixedColumn, Relabelled, ResizedTwice, ScaledColumn, SwappedChannels
from totalml.errors import DataError

PIXELS = np.random.default_rng(2).integers(0, 256, (40, 60, 3)).astype(np.uint8)


def sample(**changes: object) -> Sample:
    return Sample(
        **{"id": "pint-7", "image": ppm(PIXELS), "label": "bad", "metadata": {"age": "young", "price": 4}} | changes
    )


def pixels(changed: Sample) -> np.ndarray:
    assert isinstance(changed.image, bytes)
    return np.asarray(decode(changed.image, 1.0))


def test_channels_swapped_twice_are_as_they_were():
    once = SwappedChannels().change(sample())
    assert np.array_equal(pixels(once), PIXELS[:, :, ::-1])
    assert SwappedChannels().change(once) == sample()


def test_a_picture_resized_twice_keeps_its_size_and_loses_its_detail():
    changed = pixels(ResizedTwice(px=10).change(sample()))
    assert changed.shape == PIXELS.shape
    assert changed.std() < 0.5 * PIXELS.std()
    assert changed.mean() == pytest.approx(PIXELS.mean(), abs=2)


def test_a_coarse_jpeg_has_the_tables_of_its_quality():
    tables = Image.open(BytesIO(CoarseJpeg(quality=10).change(sample()).image)).quantization
    plain = BytesIO()
    Image.fromarray(PIXELS).save(plain, "JPEG", quality=10)
    assert tables == Image.open(plain).quantization


def test_a_crop_is_the_middle():
    assert np.array_equal(pixels(Cropped(keep=0.5).change(sample())), PIXELS[10:30, 15:45])


def test_columns_are_scaled_and_fixed():
    assert ScaledColumn(column="price", factor=1.5).change(sample()).metadata == {"age": "young", "price": 6.0}
    assert FixedColumn(column="price").change(sample()).metadata == {"age": "young", "price": None}
    missing = sample(metadata={"price": None})
    assert ScaledColumn(column="price", factor=2.0).change(missing) == missing


def test_a_habit_changes_in_its_group_alone_and_in_a_share_of_it():
    habit = Relabelled(before="bad", now="good", share=0.3, where="age == 'young'")
    changed = [habit.change(sample(id=f"pint-{n}")).label == "good" for n in range(2000)]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.05)  # five deviations
    assert changed == [habit.change(sample(id=f"pint-{n}")).label == "good" for n in range(2000)]
    every = Relabelled(before="bad", now="good", where="age == 'old'")
    assert every.change(sample()).label == "bad"
    assert Relabelled(before="good", now="bad").change(sample()).label == "bad"


@pytest.mark.parametrize(
    ("perturbation", "changes", "named"),
    [
        (SwappedChannels(), {"image": None}, "no picture"),
        (ScaledColumn(column="prices", factor=2.0), {}, "did you mean 'price'"),
        (ScaledColumn(column="age", factor=2.0), {}, "'young'"),
        (FixedColumn(column="place"), {}, "'place'"),
        (Relabelled(before="bad", now="good", where="years > 3"), {}, "'years'"),
    ],
)
def test_what_cannot_be_changed_is_named(perturbation, changes, named):
    with pytest.raises(DataError, match="pint-7") as error:
        perturbation.change(sample(**changes))
    assert named in str(error.value)
