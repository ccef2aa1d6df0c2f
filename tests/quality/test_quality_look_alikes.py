import numpy as np
import pytest

from tests.quality import drawn
from totalml.quality.look_alikes import NEIGHBOURS, _candidates, _merged, look_alikes
from totalml.quality.measures import Measures, measure


@pytest.mark.parametrize("copied", [drawn.compressed, drawn.resized, drawn.brightened])
def test_a_copy_leads_to_its_original_and_nothing_else_does(copied):
    originals = drawn.photos(200)
    photo = look_alikes(measure(np.concatenate([originals, [copied(one) for one in originals[:40]]])))
    assert photo[:200].tolist() == list(range(200))
    assert photo[200:].tolist() == list(range(40))


def test_copies_of_copies_are_one_photo():
    """Independent: the smallest row of each connected part, found by walking."""
    random = np.random.default_rng(0)
    left, right = random.integers(0, 300, (2, 200))
    neighbours = {row: {row} for row in range(300)}
    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        neighbours[one].add(other)
        neighbours[other].add(one)
    expected = []
    for row in range(300):
        seen, ahead = {row}, [row]
        while ahead:
            new = neighbours[ahead.pop()] - seen
            seen |= new
            ahead += new
        expected.append(min(seen))
    assert _merged(np.arange(300), left, right).tolist() == expected


def test_blank_pictures_are_not_taken_for_copies_of_each_other():
    random = np.random.default_rng(0)
    blank = np.clip(random.normal(128, 1, (30, 48, 48, 3)), 0, 255).astype(np.uint8)
    assert look_alikes(measure(blank)).tolist() == list(range(30))


def test_the_work_does_not_grow_with_the_square_even_if_all_hashes_are_alike():
    """A data set of one scene: every picture falls into every bucket of every other."""
    count = 3000
    ones = np.ones(count, np.float32)
    sketches = np.random.default_rng(0).integers(0, 256, (count, 256), np.uint8)
    measures = Measures(np.zeros((count, 16), np.uint8), sketches, ones, 50 * ones, ones, ones)
    compared = sum(len(left) for left, _ in _candidates(measures))
    assert 0 < compared <= 8 * NEIGHBOURS * count
    assert look_alikes(measures).tolist() == list(range(count))


def test_measures_do_not_depend_on_the_chunk():
    images = drawn.photos(7)
    whole, parts = measure(images), Measures.joined([measure(images[:3]), measure(images[3:])])
    assert np.array_equal(whole.hashes, parts.hashes)
    assert np.allclose(whole.sharpness, parts.sharpness)


def test_what_is_measured_of_plain_pictures():
    grey = np.full((3, 8, 8, 3), 128, np.uint8)
    grey[1], grey[2, :, :4] = 0, 255
    measures = measure(grey)
    assert measures.black.tolist() == [0, 1, 0]
    assert measures.white.tolist() == [0, 0, 0.5]
    assert measures.contrast == pytest.approx([0, 0, 63.5], abs=0.01)
    assert measures.sharpness[:2].tolist() == [0, 0]
    assert measures.sketches[0].tolist() == [128] * 256
