import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from totalml.model.preprocess import ImageScaler
from totalml.training import Erase, Flip, Light, RandomCrop
from totalml.training.augment import augmented
from totalml.training.batch_images import mirror, shift
from totalml.training.keys import below, mix, seed_of, uniform

KEYS = mix(torch.arange(40), 1)
PIXELS = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (40, 12, 10, 3), np.uint8))
IMAGES = PIXELS.permute(0, 3, 1, 2)  # (B, C, H, W) over channels-last memory, as batches come
EVERY = [Flip(), RandomCrop(padding=0.3), Light(colour=0.2), Erase(), Erase(probability=1, side=0.9)]


@pytest.mark.parametrize("change", EVERY, ids=repr)
def test_a_sample_is_changed_alike_whatever_batch_it_is_in(change):
    together = change.apply(IMAGES, KEYS)
    alone = torch.cat([change.apply(IMAGES[row : row + 1], KEYS[row : row + 1]) for row in range(40)])
    assert torch.equal(together, alone)
    assert not torch.equal(together, IMAGES.to(together.dtype))


@pytest.mark.parametrize("change", EVERY, ids=repr)
def test_another_key_is_another_change(change):
    if change == Erase(probability=1, side=0.9):
        pytest.skip("so large a square has four places only")
    twice = change.apply(IMAGES[:1].expand(40, -1, -1, -1), KEYS)
    assert len(torch.unique(twice, dim=0)) > 1


@pytest.mark.parametrize("change", EVERY, ids=repr)
def test_bytes_and_floats_in_any_memory_order_are_changed_alike(change):
    floats = change.apply(IMAGES.float(), KEYS)
    assert torch.equal(change.apply(IMAGES, KEYS).float(), floats)
    assert torch.equal(change.apply(IMAGES.float().contiguous(), KEYS), floats)
    assert floats.shape == IMAGES.shape


@pytest.mark.parametrize("change", EVERY, ids=repr)
def test_the_batch_itself_is_left_alone(change):
    before = PIXELS.clone()
    change.apply(IMAGES, KEYS)
    assert torch.equal(PIXELS, before)


@pytest.mark.parametrize("changes", [(), (Flip(), RandomCrop()), (Flip(), Light())], ids=repr)
def test_changes_in_a_row_give_what_a_network_takes(changes):
    scaler = ImageScaler(3)
    changed = scaler(augmented(PIXELS, changes, KEYS))
    by_hand = IMAGES.float()
    for place, change in enumerate(changes):
        by_hand = change.apply(by_hand, mix(KEYS, place))
    assert torch.equal(changed, by_hand)


def test_mirroring_twice_gives_the_picture_back():
    chosen = torch.arange(40) % 3 == 0
    assert torch.equal(mirror(mirror(IMAGES, chosen), chosen), IMAGES)


def test_mirroring_swaps_left_and_right_of_the_chosen_only():
    mirrored = mirror(IMAGES, torch.arange(40) == 5)
    assert torch.equal(mirrored[5], IMAGES[5].flip(2))
    assert torch.equal(mirrored[:5], IMAGES[:5])
    assert torch.equal(mirrored[6:], IMAGES[6:])


@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=1, max_size=6))
def test_a_shift_is_a_window_of_the_reflected_picture(moves):
    down, right = torch.tensor(moves).T
    moved = shift(IMAGES[: len(moves)], down, right, 4)
    for row, (y, x) in enumerate(moves):
        padded = np.pad(PIXELS[row].numpy(), ((4, 4), (4, 4), (0, 0)), mode="reflect")
        window = padded[4 - y : 16 - y, 4 - x : 14 - x]
        assert np.array_equal(moved[row].permute(1, 2, 0).numpy(), window)


def test_a_random_crop_uses_every_shift_up_to_its_padding():
    ramp = torch.arange(100, dtype=torch.uint8).view(1, 1, 10, 10).expand(3000, 1, 10, 10)
    moved = RandomCrop(padding=0.2).apply(ramp, mix(torch.arange(3000), 9))
    centres = moved[:, 0, 5, 5].unique().tolist()
    assert centres == [10 * row + column for row in range(3, 8) for column in range(3, 8)]


def test_light_scales_about_mid_grey_and_stays_in_range():
    grey = torch.full((40, 3, 4, 4), 128, dtype=torch.uint8)
    assert (Light(brightness=0, contrast=0.5).apply(grey, KEYS) == 128).all()
    lit = Light(brightness=0.5, contrast=0.5).apply(IMAGES, KEYS)
    assert lit.min() >= 0
    assert lit.max() <= 255


def test_light_keeps_its_bounds():
    step = torch.stack([torch.full((3, 1, 1), 118), torch.full((3, 1, 1), 138)]).to(torch.uint8)
    dark, bright = (Light().apply(level[None].expand(5000, 3, 1, 1), mix(torch.arange(5000), 2)) for level in step)
    slopes, shifts = (bright - dark) / 20, ((bright + dark) / 2 - 128) / 255
    assert 0.8 <= slopes.min() < 0.81
    assert 1.19 < slopes.max() <= 1.2 + 1e-5
    assert shifts.abs().max() <= 0.2 + 1e-5
    assert torch.equal(slopes[:, 0], slopes[:, 2])


def test_colour_is_a_factor_of_each_channel():
    flat = torch.full((500, 3, 2, 2), 100, dtype=torch.uint8)
    tinted = Light(brightness=0, contrast=0, colour=0.1).apply(flat, mix(torch.arange(500), 2))
    assert 90 - 1e-3 <= tinted.min() < 91
    assert not torch.allclose(tinted[:, 0], tinted[:, 1])


def test_erase_covers_one_square_with_mid_grey():
    white = torch.full((300, 3, 10, 10), 255, dtype=torch.uint8)
    covered = Erase(probability=0.5, side=0.4).apply(white, mix(torch.arange(300), 4)) == 128
    counts = covered[:, 0].sum(dim=(1, 2))
    assert set(counts.tolist()) == {0, 16}
    assert 0.4 < (counts > 0).float().mean() < 0.6
    assert ((covered.any(dim=2).sum(dim=2) == 4) | (counts == 0)[:, None]).all()
    assert covered.any(dim=0).all()  # every place may be covered


def test_flip_keeps_its_probability():
    chosen = uniform(mix(torch.arange(20_000), 0), 0) < 0.3
    assert abs(chosen.float().mean() - 0.3) < 0.01


def test_mix_is_splitmix64():
    # The first outputs for seed 1234567, from the reference implementation of Vigna.
    states = [signed(1234567 + step * 0x9E3779B97F4A7C15) for step in range(3)]
    found = [number % 2**64 for number in mix(torch.tensor(states), 0).tolist()]
    assert found == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def signed(number):
    return (number + 2**63) % 2**64 - 2**63


def test_uniform_numbers_fill_zero_to_one_evenly():
    numbers = uniform(mix(torch.arange(100_000), 5), 0)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts = torch.histc(numbers, 10, 0, 1)
    assert (counts - 10_000).abs().max() < 500  # five standard deviations


def test_draws_are_independent():
    keys = mix(torch.arange(50_000), 5)
    first, second = uniform(keys, 0), uniform(keys, 1)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.02


@given(st.integers(1, 2**20))
def test_below_stays_below_its_bound(bound):
    numbers = below(KEYS, 0, bound)
    assert numbers.min() >= 0
    assert numbers.max() < bound


def test_every_epoch_has_a_seed_of_its_own():
    seeds = {seed_of(seed, epoch) for seed in range(20) for epoch in range(20)}
    assert len(seeds) == 400
    assert all(0 <= seed < 2**63 for seed in seeds)
