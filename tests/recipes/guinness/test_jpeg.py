"""The compression: a true cosine transform, gentle when fine, blocky when coarse."""

import numpy as np

from recipes.guinness.jpeg import _backward, _forward, compress


def _picture(size_px=64):
    steps = np.linspace(0, 1, size_px, dtype=np.float32)
    plane = steps[:, None] * steps[None, :]
    return np.stack([plane, plane * 0.5 + 0.2, 1 - plane])[None]


def _coarseness(value):
    return np.full((1, 1, 1), value, np.float32)


def test_the_transform_is_the_orthonormal_cosine_transform():
    place = np.arange(8)
    waves = np.cos(np.pi * (2 * place[None] + 1) * place[:, None] / 16) / 2
    waves[0] /= np.sqrt(2)
    unit = np.eye(8, dtype=np.float32)
    np.testing.assert_allclose(_forward(unit), waves, atol=1e-6)
    np.testing.assert_allclose(_backward(_forward(unit)), unit, atol=1e-6)


def test_a_fine_step_gives_the_picture_back():
    # Colour is kept at half size, so a smooth picture is off by its slope at most.
    assert np.abs(compress(_picture(), _coarseness(1e-3)) - _picture()).max() < 0.04


def test_a_coarse_step_costs_more_than_a_plain_one():
    def cost(coarseness):
        return np.abs(compress(_picture(), _coarseness(coarseness)) - _picture()).mean()

    assert cost(4.0) > 2 * cost(0.5)


def test_sizes_that_are_no_multiple_of_a_block_work():
    assert compress(_picture(50), _coarseness(1)).shape == (1, 3, 50, 50)
