import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.planted import squares
from totalml.training.batches import Batches, batches_of

FEATURES = squares(50)
NOISE = FEATURES.numeric[:, 0].tolist()


def rows_of(batch):
    """Which samples a batch holds, found by their column of noise."""
    return [NOISE.index(value) for value in batch["numeric"][:, 0].tolist()]


def order_of(batches):
    return [row for batch in batches for row in rows_of(batch)]


def keys_of(batches):
    return {row: key for batch in batches for row, key in zip(rows_of(batch), batch["key"].tolist(), strict=True)}


def test_every_sample_comes_once():
    assert sorted(order_of(Batches.shuffled(FEATURES, np.arange(3, 48), 8, seed=0, epoch=0))) == [*range(3, 48)]


def test_what_belongs_together_stays_together():
    for batch in Batches.shuffled(FEATURES, np.arange(50), 8, 0, 0):
        rows = rows_of(batch)
        assert np.array_equal(batch["image"].numpy(), FEATURES.images.pixels[rows])
        assert batch["target"].tolist() == FEATURES.targets.values[rows].tolist()


@pytest.mark.parametrize(("count", "batch_size"), [(50, 7), (50, 50), (50, 49), (1, 8), (17, 16)])
def test_no_batch_is_much_smaller_than_the_others(count, batch_size):
    batches = Batches(FEATURES, np.arange(count), batch_size)
    sizes = [len(batch["target"]) for batch in batches]
    assert len(sizes) == len(batches) == batches_of(count, batch_size)
    assert sum(sizes) == count
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(1, 500), st.integers(1, 64))
def test_no_batch_is_of_a_single_sample_unless_all_are(count, batch_size):
    batches = batches_of(count, batch_size)
    smallest, largest = count // batches, -(-count // batches)
    assert smallest > 1 or batch_size == 1 or count == 1
    assert largest <= max(batch_size, 3 if batch_size == 2 else batch_size)


def test_the_order_depends_on_seed_and_epoch():
    orders = {tuple(order_of(Batches.shuffled(FEATURES, np.arange(50), 8, *key))) for key in ((0, 0), (0, 1), (1, 0))}
    assert len(orders) == 3
    assert tuple(range(50)) not in orders


def test_samples_keep_their_order_and_keys_when_others_join():
    few = Batches.shuffled(FEATURES, np.arange(0, 50, 5), 4, 0, 0)
    all_of_them = Batches.shuffled(FEATURES, np.arange(50), 4, 0, 0)
    assert [row for row in order_of(all_of_them) if row % 5 == 0] == order_of(few)
    assert keys_of(few).items() <= keys_of(all_of_them).items()


def test_without_shuffling_rows_come_as_they_are():
    batches = Batches(FEATURES, np.array([4, 2, 9]), 2)
    assert order_of(batches) == [4, 2, 9]
    assert all("key" not in batch for batch in batches)
