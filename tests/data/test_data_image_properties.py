from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from totalml.data import image_properties as module
from totalml.data.image_properties import PROPERTIES, contrast_and_sharpness, grey_values, image_properties
from totalml.quality.measures import measure

LUMA = (0.299, 0.587, 0.114)


def of(picture: np.ndarray) -> dict[str, float]:
    """The properties of one picture, (H, W) grey or (H, W, 3)."""
    colours = picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, 2)
    return {name: float(values[0]) for name, values in image_properties(colours[None]).items()}


def photo(size_px: int = 256, seed: int = 0) -> np.ndarray:
    """Soft colours with hard edges and fine grain, as photos have them."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(40, 216, (9, 9, 3), np.uint8))
    soft = np.asarray(coarse.resize((size_px, size_px), Image.Resampling.BICUBIC)).astype(float)
    y, x = np.mgrid[0:size_px, 0:size_px] / size_px
    soft[(x - 0.4) ** 2 + (y - 0.6) ** 2 < 0.05] *= 0.6
    soft[np.abs(x - 0.8 + y / 9) < 0.06] += 30
    return np.clip(soft + rng.normal(0, 2, soft.shape), 0, 255).round().astype(np.uint8)


def ramp(size_px: int) -> np.ndarray:
    """(S, S) from 64 to 192, free of noise but for rounding."""
    y, x = np.mgrid[0:size_px, 0:size_px] / size_px
    return (64 + 64 * (x + y)).round().astype(np.uint8)


def as_jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    sink = BytesIO()
    Image.fromarray(picture).save(sink, "JPEG", quality=quality)
    return np.asarray(Image.open(sink).convert("RGB"))


def to_size(picture: np.ndarray, size_px: int) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((size_px, size_px), Image.Resampling.LANCZOS))


@pytest.mark.parametrize("value", [0, 1, 100, 255])
def test_a_flat_grey_picture_has_brightness_and_nothing_else(value):
    found = of(np.full((37, 53), value, np.uint8))
    assert found.pop("brightness") == value
    assert set(found.values()) == {0.0}


@given(st.tuples(*[st.integers(0, 255)] * 3))
@settings(max_examples=30, deadline=None)
def test_a_flat_picture_of_any_colour_has_no_structure(colour):
    found = of(np.broadcast_to(np.array(colour, np.uint8), (40, 40, 3)))
    assert found["brightness"] == pytest.approx(np.dot(LUMA, colour), rel=1e-6)
    for name in ("contrast", "sharpness", "noise", "entropy", "blockiness"):
        assert found[name] == pytest.approx(0, abs=1e-4), name


def test_a_checkerboard_has_the_figures_of_its_two_values():
    board = (np.indices((40, 40)).sum(axis=0) % 2 * 255).astype(np.uint8)
    found = of(board)
    assert found["brightness"] == found["contrast"] == 127.5
    assert found["entropy"] == 1
    # Every Laplacian is 4 x 255 off, one sign or the other; and of the Laplacians' Laplacian, 8 x 255.
    assert found["sharpness"] == pytest.approx(4 * 255 / 127.5)
    assert found["noise"] == pytest.approx(8 * 255 * np.sqrt(np.pi / 2) / 6, rel=1e-5)
    assert found["colourfulness"] == 0
    assert found["blockiness"] == pytest.approx(0, abs=1e-6)


def test_every_level_once_has_an_entropy_of_8_bits():
    assert of(np.arange(256, dtype=np.uint8).reshape(16, 16))["entropy"] == pytest.approx(8)


def test_brightness_contrast_and_entropy_are_those_of_the_luma():
    luma = photo() @ np.array(LUMA)
    found = of(photo())
    assert found["brightness"] == pytest.approx(luma.mean(), rel=1e-6)
    assert found["contrast"] == pytest.approx(luma.std(), rel=1e-6)
    shares = np.unique(luma.round(), return_counts=True)[1] / luma.size
    assert found["entropy"] == pytest.approx(-(shares * np.log2(shares)).sum(), abs=1e-3)


@pytest.mark.parametrize("size_px", [64, 128, 500])
@pytest.mark.parametrize("sigma", [2, 5, 10, 20])
def test_white_noise_of_a_known_deviation_is_found(size_px, sigma):
    noise = np.random.default_rng(sigma).normal(0, sigma, (size_px, size_px))
    noisy = (ramp(size_px) + noise).round().clip(0, 255).astype(np.uint8)
    assert of(noisy)["noise"] == pytest.approx(sigma, rel=0.15)
    assert of(ramp(size_px))["noise"] < 0.5  # of rounding


def test_noise_on_top_of_a_photo_raises_its_noise_step_by_step():
    grey = grey_values(photo()[None])[0]
    unit = np.random.default_rng(1).normal(size=grey.shape)
    found = [of((grey + sigma * unit).round().clip(0, 255).astype(np.uint8))["noise"] for sigma in (0, 4, 8, 16)]
    for sigma, noise in zip((4, 8, 16), found[1:], strict=True):
        assert noise == pytest.approx(np.hypot(found[0], sigma), rel=0.15)


def test_the_noise_of_one_picture_is_that_of_its_definition():
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
    luma = photo(20) @ np.array(LUMA)
    windows = np.lib.stride_tricks.sliding_window_view(luma, (3, 3))
    expected = np.sqrt(np.pi / 2) / 6 * np.abs((windows * mask).sum(axis=(2, 3))).mean()
    assert of(photo(20))["noise"] == pytest.approx(expected, rel=1e-5)


def test_the_sharpness_of_one_picture_is_that_of_its_definition():
    mask = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    luma = photo(20) @ np.array(LUMA)
    windows = np.lib.stride_tricks.sliding_window_view(luma, (3, 3))
    expected = (windows * mask).sum(axis=(2, 3)).std() / luma.std()
    assert of(photo(20))["sharpness"] == pytest.approx(expected, rel=1e-5)


def test_the_more_blur_the_less_sharpness():
    image = Image.fromarray(photo())
    radii = (0, 0.5, 1, 1.5, 2)  # px; from 3 on, what is left is the rounding to 8 bits
    found = [of(np.asarray(image.filter(ImageFilter.GaussianBlur(radius))))["sharpness"] for radius in radii]
    assert (np.diff(found) < 0).all()


def test_dim_light_is_no_blur():
    dim = (photo() // 2).astype(np.uint8)
    assert of(dim)["sharpness"] == pytest.approx(of(photo())["sharpness"], rel=0.05)
    assert of(dim)["brightness"] == pytest.approx(of(photo())["brightness"] / 2, abs=0.5)


def test_colourfulness_is_that_of_hasler_and_suesstrunk():
    red, green, blue = np.moveaxis(photo().astype(float), 2, 0)
    rg, yb = red - green, 0.5 * (red + green) - blue
    expected = np.sqrt(rg.var() + yb.var()) + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)
    assert of(photo())["colourfulness"] == pytest.approx(expected, rel=1e-5)


def test_warmth_is_the_mean_of_red_minus_blue_and_turns_its_sign_when_they_are_swapped():
    red, _, blue = np.moveaxis(photo().astype(float), 2, 0)
    assert of(photo())["warmth"] == pytest.approx((red - blue).mean(), abs=1e-4)
    assert of(photo()[:, :, ::-1])["warmth"] == pytest.approx(-of(photo())["warmth"], abs=1e-4)
    extremes = np.array([[[255, 128, 0]]], np.uint8)
    assert (of(extremes)["warmth"], of(extremes[:, :, ::-1])["warmth"]) == (255, -255)


def test_greying_a_photo_takes_all_colour_and_nothing_else():
    grey = grey_values(photo()[None])[0].round().astype(np.uint8)
    before, after = of(photo()), of(grey)
    assert before["colourfulness"] > 20
    assert after["colourfulness"] == 0
    for name in ("brightness", "contrast", "sharpness", "entropy"):
        assert after[name] == pytest.approx(before[name], rel=0.01), name


def test_blocks_of_eight_are_blocky_and_other_blocks_are_not():
    values = np.random.default_rng(3).integers(0, 256, (80, 80), np.uint8)
    blocks = {side: np.kron(values, np.ones((side, side), np.uint8))[:320, :320] for side in (4, 7, 8)}
    assert of(blocks[8])["blockiness"] == 1
    assert 0 < of(blocks[4])["blockiness"] < 0.8  # half of its lines are on the grid
    assert abs(of(blocks[7])["blockiness"]) < 0.15
    assert of(np.roll(blocks[8], 4, axis=(0, 1)))["blockiness"] == -1
    assert abs(of(ramp(160))["blockiness"]) < 0.05


def test_blockiness_is_that_of_its_definition():
    luma = photo(20)[:, :19] @ np.array(LUMA)
    on_lines, elsewhere = [], []
    for steps in (np.abs(np.diff(luma, axis=1)).T, np.abs(np.diff(luma, axis=0))):
        for place, line in enumerate(steps, start=1):
            (elsewhere if place % 8 else on_lines).extend(line)
    at, away = np.mean(on_lines), np.mean(elsewhere)
    assert of(photo(20)[:, :19])["blockiness"] == pytest.approx((at - away) / (at + away), rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_lower_the_quality_of_a_jpeg_the_more_blockiness(seed):
    found = [of(as_jpeg(photo(seed=seed), quality))["blockiness"] for quality in (95, 50, 10)]
    assert abs(found[0]) < 0.1
    assert found[0] < found[1] < found[2]
    assert found[2] > 0.2


def test_resizing_takes_the_grid_of_a_jpeg_away():
    coarse = as_jpeg(photo(), 10)
    assert abs(of(to_size(coarse, 100))["blockiness"]) < 0.1 < of(coarse)["blockiness"]


def test_aspect_is_width_over_height_and_nan_where_unknown():
    pixels = np.zeros((4, 2, 2, 3), np.uint8)
    found = image_properties(pixels, [(640, 480), (480, 640), (0, 0), (7, 0)])
    assert tuple(found) == PROPERTIES
    np.testing.assert_allclose(found["aspect"], [4 / 3, 3 / 4, np.nan, np.nan], rtol=1e-6)
    assert tuple(image_properties(pixels)) == PROPERTIES[:-1]


@given(
    count=st.integers(1, 7),
    shape=st.tuples(st.integers(1, 21), st.integers(1, 21)),
    chunk_pixels=st.integers(1, 2000),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_chunks_change_a_bit(count, shape, chunk_pixels, seed):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, *shape, 3), np.uint8)
    order = rng.permutation(count)
    whole = image_properties(pixels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK_PIXELS", chunk_pixels)
        shuffled = image_properties(pixels[order])
    for name, values in whole.items():
        assert (shuffled[name] == values[order]).all(), name


def test_large_pictures_alone_have_the_figures_that_they_have_in_a_batch():
    pixels = np.stack([photo(131, seed) for seed in range(9)])
    whole = image_properties(pixels)
    for row, picture in enumerate(pixels):
        assert of(picture) == {name: values[row] for name, values in whole.items()}


def test_a_view_has_the_figures_of_its_copy():
    view = photo(64)[None, ::-1, 3:40:2]
    assert not view.flags.c_contiguous
    assert image_properties(view) == image_properties(view.copy())


@pytest.mark.parametrize("shape", [(8, 128, 128), (1, 64, 16), (2, 17, 31), (0, 4, 4)])
def test_no_two_planes_stand_whole_pages_apart(shape):
    planes = module._planes(module.PLANES, shape)
    starts = [plane.__array_interface__["data"][0] for plane in planes]
    assert len({start % 4096 for start in starts}) == module.PLANES
    assert planes.shape == (module.PLANES, *shape)


def test_memory_does_not_grow_with_the_number_of_pictures():
    import tracemalloc

    pixels = np.zeros((600, 64, 64, 3), np.uint8)
    tracemalloc.start()
    image_properties(pixels)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * module.CHUNK_PIXELS < pixels.size


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 9), (9, 1), (2, 2), (2, 40), (3, 3), (8, 8), (9, 9)])
def test_the_smallest_pictures_have_finite_figures(shape):
    pixels = np.random.default_rng(5).integers(0, 256, (3, *shape, 3), np.uint8)
    for name, values in image_properties(pixels).items():
        assert values.shape == (3,), name
        assert np.isfinite(values).all(), name
        if min(shape) < 3 and name in ("sharpness", "noise"):
            assert (values == 0).all(), name


def test_no_pictures_have_empty_columns():
    for sizes in ([], np.zeros((0, 2), np.int64)):
        found = image_properties(np.zeros((0, 16, 16, 3), np.uint8), sizes)
        assert tuple(found) == PROPERTIES
        assert {(values.shape, values.dtype.name) for values in found.values()} == {((0,), "float32")}


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 8, 8, 3)),
        np.zeros((2, 8, 8, 3), np.int8),
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((2, 8, 8), np.uint8),
        np.zeros((2, 8, 8, 4), np.uint8),
        np.zeros((2, 3, 8, 8), np.uint8),
        np.zeros((2, 0, 8, 3), np.uint8),
        [[[[1, 2, 3]]]],
        None,
    ],
)
def test_other_pixels_are_refused(wrong):
    with pytest.raises(ValueError, match=r"expected uint8 \(N, height, width, 3\)"):
        image_properties(wrong)


@pytest.mark.parametrize("wrong", [[(1, 2)], [1, 2], [(1, 2, 3), (1, 2, 3)], [(1, 2), (1, -2)], [(1, 2), (1, np.nan)]])
def test_other_sizes_are_refused(wrong):
    with pytest.raises(ValueError, match=r"expected \(2, 2\) for 2 pictures"):
        image_properties(np.zeros((2, 8, 8, 3), np.uint8), wrong)


def test_the_checks_of_pictures_measure_the_same_contrast_and_sharpness():
    pixels = np.stack([photo(64, seed) for seed in range(4)])
    found, checked = image_properties(pixels), measure(pixels)
    contrast, sharpness = contrast_and_sharpness(grey_values(pixels))
    assert (found["contrast"] == checked.contrast).all()
    assert (found["sharpness"] == checked.sharpness).all()
    assert (checked.contrast == contrast.astype(np.float32)).all()
    assert (checked.sharpness == sharpness.astype(np.float32)).all()
