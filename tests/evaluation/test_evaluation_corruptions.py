"""Each way of getting worse against its formula, written another way."""

import math
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from totalml.evaluation.robustness.corruptions import CORRUPTIONS, turned, versions
from totalml.features.build import sample_keys
from totalml.recipe import RobustnessRecipe

SIDE = 24
KEYS = torch.from_numpy(sample_keys([f"s{k}" for k in range(6)]))


def pictures(count=6, side=SIDE, seed=0):
    """Smooth, with an edge, so that there is something to lose."""
    chance = np.random.default_rng(seed)
    coarse = chance.integers(0, 256, (count, 4, 4, 3)).astype(np.uint8)
    large = [np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC)) for one in coarse]
    return torch.from_numpy(np.stack(large))


def one(kind, images, strength):
    (changed,) = CORRUPTIONS[kind](images, KEYS[: len(images)], [strength])
    return changed.numpy().astype(np.float64)


@pytest.mark.parametrize("sigma", [0.03, 0.1])
def test_blur_is_a_convolution_with_a_gaussian_over_the_mirrored_picture(sigma):
    images = pictures(1)
    reach = math.ceil(5 * sigma * SIDE)
    padded = np.pad(images[0].numpy().astype(np.float64), [(reach, reach), (reach, reach), (0, 0)], "symmetric")
    expected, weight = np.zeros((SIDE, SIDE, 3)), 0.0
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            part = math.exp(-(down**2 + right**2) / (2 * (sigma * SIDE) ** 2))
            y, x = reach + down, reach + right
            expected += part * padded[y : y + SIDE, x : x + SIDE]
            weight += part
    assert np.abs(one("blur", images, sigma)[0] - expected / weight).max() <= 0.51  # half a level of rounding


def test_noise_is_gaussian_of_the_deviation_that_it_states():
    grey = torch.full((6, 64, 64, 3), 128, dtype=torch.uint8)
    for deviation in (5.0, 20.0):
        grain = one("noise", grey, deviation) - 128
        assert grain.std() == pytest.approx(math.hypot(deviation, 12**-0.5), rel=0.02)
        assert abs(grain.mean()) < 5 * deviation / grain.size**0.5
        assert ((grain / grain.std()) ** 4).mean() == pytest.approx(3, abs=0.15)
        assert abs(np.corrcoef(grain.reshape(6, -1))[np.triu_indices(6, 1)]).max() < 0.05
        assert abs(np.corrcoef(grain[..., 0].ravel(), grain[..., 1].ravel())[0, 1]) < 0.04
        halves = grain.reshape(6, 2, -1)
        assert abs(np.corrcoef(halves[:, 0].ravel(), halves[:, 1].ravel())[0, 1]) < 0.04


def test_a_stop_less_is_half_of_the_light():
    levels = torch.arange(256, dtype=torch.uint8).view(1, 16, 16, 1).repeat(1, 1, 1, 3)
    light = [level / 255 / 12.92 if level <= 10 else ((level / 255 + 0.055) / 1.055) ** 2.4 for level in range(256)]
    for stops in (1.0, 3.0):
        found = one("dark", levels, stops)[0, ..., 0].ravel()
        for level, stored in enumerate(found):
            # What is stored stands for light within half a level of what there is.
            low, high = (np.interp(stored + half, range(256), light) for half in (-0.52, 0.52))
            assert low <= light[level] / 2**stops <= max(high, light[1] / 1.9)
    assert (np.diff(one("dark", levels, 1.0)[0, ..., 0].ravel()) >= 0).all()


def test_jpeg_is_what_pillow_stores_at_that_quality():
    images = pictures()
    for quality in (50, 5):
        for picture, found in zip(images.numpy(), one("jpeg", images, quality), strict=True):
            file = BytesIO()
            Image.fromarray(picture).save(file, "JPEG", quality=quality)
            assert (np.asarray(Image.open(file)) == found).all()


def test_turning_is_exact_where_no_pixel_lies_between_others():
    images = pictures()
    for quarters in (1, 2, 3):
        found = turned(images, torch.full((6,), 90.0 * quarters)).numpy().astype(int)
        assert np.abs(found - np.rot90(images.numpy(), quarters, axes=(1, 2))).max() <= 1


def test_a_small_turn_is_pillow_s_in_the_middle_of_the_picture():
    images = pictures(1, side=64)
    for degrees in (7.0, -15.0):
        found = turned(images, torch.tensor([degrees])).numpy()[0].astype(int)
        theirs = np.asarray(Image.fromarray(images[0].numpy()).rotate(degrees, Image.Resampling.BILINEAR)).astype(int)
        inner = slice(16, 48)
        assert np.abs(found - theirs)[inner, inner].max() <= 2


def test_half_of_the_pictures_turn_to_either_side():
    keys = torch.from_numpy(sample_keys([f"s{k}" for k in range(400)]))
    images = torch.zeros(400, 16, 16, 3, dtype=torch.uint8)
    images[:, 7:9, 8:] = 255  # a bar from the middle to the right
    (found,) = CORRUPTIONS["rotation"](images, keys, [20.0])
    above, below = (found[:, part, 8:].float().mean(dim=(1, 2, 3)) for part in (slice(0, 8), slice(8, 16)))
    assert 150 < (above > 2 * below).sum() < 250
    assert ((above > 2 * below) | (below > 2 * above)).all()


@pytest.mark.parametrize("kind", ["blur", "noise", "dark", "rotation"])
def test_no_strength_changes_nothing(kind):
    images = pictures()
    assert (one(kind, images, 0.0) == images.numpy()).all()


def test_each_strength_does_more_damage_than_the_one_before():
    images = pictures(side=64)
    damage = {}
    for kind, place, changed in versions(RobustnessRecipe(), images, KEYS):
        damage[kind, place] = (changed.float() - images.float()).abs().mean().item()
    for kind in CORRUPTIONS:
        assert all(damage[kind, place] < damage[kind, place + 1] for place in range(4)), kind


def test_a_picture_gets_worse_alike_in_any_batch():
    images = pictures()
    together = {(kind, place): changed for kind, place, changed in versions(RobustnessRecipe(), images, KEYS)}
    for some in (slice(0, 1), slice(3, 6)):
        for kind, place, changed in versions(RobustnessRecipe(), images[some], KEYS[some]):
            apart = (changed.int() - together[kind, place][some].int()).abs()
            assert apart.max() <= (1 if kind in ("blur", "rotation") else 0)  # sums in another order
            assert apart.float().mean() < 0.001
