"""Random numbers hang on the seed, the index and the stream, and on nothing else."""

import numpy as np

from recipes.guinness import noise


def _keys(count, seed=1, start=0):
    return noise.keys(seed, np.arange(start, start + count, dtype=np.int64))


def test_splitmix_words_are_the_published_ones():
    # The first outputs of splitmix64 from state 1234567 (Rosetta Code).
    state = np.asarray([1234567], dtype=np.uint64) + np.arange(1, 4, dtype=np.uint64) * noise._GOLDEN
    assert noise._mix(state).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_pint_keeps_its_numbers_when_others_join():
    alone = noise.uniforms(_keys(1, start=5), "bottles", 4)
    np.testing.assert_array_equal(noise.uniforms(_keys(9), "bottles", 4)[5:6], alone)


def test_more_numbers_of_a_stream_begin_with_the_same_ones():
    np.testing.assert_array_equal(noise.bits(_keys(3), "x", 8)[:, :2], noise.bits(_keys(3), "x", 2))


def test_streams_seeds_and_indices_differ():
    words = [noise.bits(_keys(50, seed), stream, 3) for seed in (1, 2) for stream in ("a", "b")]
    assert len(np.unique(np.concatenate(words))) == 4 * 50 * 3


def test_uniforms_fill_the_unit_interval_evenly():
    counts, _ = np.histogram(noise.uniforms(_keys(20_000), "even", 1), bins=10, range=(0, 1))
    # 2000 expected, deviation 42: five of them.
    assert np.abs(counts - 2000).max() < 212


def test_bell_has_mean_0_and_deviation_1():
    draws = noise.bell(_keys(20_000), "bell")
    assert abs(draws.mean()) < 0.04
    assert abs(draws.std() - 1) < 0.03


def test_pick_draws_in_proportion_and_never_what_weighs_nothing():
    drawn = np.bincount(noise.pick(_keys(20_000), "pick", [1, 0, 3]), minlength=3) / 20_000
    np.testing.assert_allclose(drawn, [0.25, 0, 0.75], atol=0.02)


def test_smooth_noise_passes_through_its_knots_and_the_middle_between():
    table = noise.lattice(_keys(2), "table", 4, 8)
    row, column = np.full((2, 1, 2), 3.0, np.float32), np.asarray([[[2.0, 2.5]]] * 2, np.float32)
    read = noise.smooth_noise(table, row, column)
    np.testing.assert_array_equal(read[:, 0, 0], table[:, 3, 2])
    np.testing.assert_allclose(read[:, 0, 1], (table[:, 3, 2] + table[:, 3, 3]) / 2, rtol=1e-6)


def test_sensor_grain_has_mean_0_and_deviation_1_and_odd_sizes_work():
    grain = noise.grain(_keys(4), "sensor", 65)
    assert grain.shape == (4, 3, 65, 65)
    assert grain.dtype == np.float32
    assert abs(float(grain.mean())) < 0.02
    assert abs(float(grain.std()) - 1) < 0.02
