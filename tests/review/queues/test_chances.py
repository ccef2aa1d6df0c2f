"""What is estimated from drawn rows is what holds of the pool, whatever the queues look for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.identity import drawn_often
from totalml.recipe.review import QueueShares
from totalml.review.item import CONTROL, DISAGREEMENT, OUT_OF_DISTRIBUTION, UNCERTAIN
from totalml.review.queues.chances import draw

SHARES = {CONTROL: 0.4, DISAGREEMENT: 0.1, OUT_OF_DISTRIBUTION: 0.2, UNCERTAIN: 0.3}
SIZE, COUNT, DRAWS = 60, 20, 1000


def keys(size: int = SIZE) -> list[bytes]:
    return [f"order-{number}".encode() for number in range(size)]


def weights(size: int = SIZE) -> dict[str, np.ndarray]:
    random = np.random.default_rng(5)
    differ = np.where(np.arange(size) % 30 == 0, 1.0, np.nan)
    return {UNCERTAIN: random.random(size), OUT_OF_DISTRIBUTION: random.exponential(size=size), DISAGREEMENT: differ}


@pytest.fixture(scope="module")
def draws():
    return [draw(f"draw {number}", keys(), weights(), SHARES, COUNT) for number in range(DRAWS)]


def test_a_sum_over_drawn_rows_by_their_probability_is_that_of_the_pool(draws):
    wrong = weights()[UNCERTAIN] ** 2  # the model errs more where it is unsure, so plain means are far off
    sums = np.array([(wrong[each.rows] / each.probability).sum() for each in draws])
    error = sums.std() / np.sqrt(DRAWS)
    assert abs(sums.mean() - wrong.sum()) < 4 * error
    plain = np.array([wrong[each.rows].mean() * SIZE for each in draws])
    assert abs(plain.mean() - wrong.sum()) > 8 * error


def test_each_row_is_drawn_as_often_as_its_probability_says(draws):
    often, said = np.zeros(SIZE), np.full(SIZE, np.nan)
    for each in draws:
        often[each.rows] += 1
        said[each.rows] = each.probability
    assert np.all(np.abs(often / DRAWS - said) < 4.5 * np.sqrt(said * (1 - said) / DRAWS) + 1e-12)
    assert said[::30].min() == pytest.approx(1.0)  # the few on which releases disagree are all taken
    assert abs(often.sum() / DRAWS - COUNT) < 0.5


def test_each_row_has_the_same_chance_to_be_control(draws):
    often = np.zeros(SIZE)
    for each in draws:
        often[each.rows[np.array(each.queues) == CONTROL]] += 1
    share = often.sum() / DRAWS / SIZE
    assert np.all(np.abs(often / DRAWS - share) < 4.5 * np.sqrt(share * (1 - share) / DRAWS))
    assert len({sum(queue == CONTROL for queue in each.queues) for each in draws}) == 1


def test_the_place_of_an_item_says_nothing_of_its_queue(draws):
    places = [(np.array(each.queues) == CONTROL).nonzero()[0].mean() / (len(each.rows) - 1) for each in draws]
    assert abs(np.mean(places) - 0.5) < 4 * np.std(places) / np.sqrt(DRAWS)


POOLS = st.tuples(st.integers(1, 40), st.integers(1, 60), st.integers(0, 2**32 - 1))


@settings(max_examples=80, deadline=None)
@given(POOLS)
def test_whatever_the_pool_probabilities_are_such_and_the_same_draw_is_the_same(pool):
    size, count, seed = pool
    random = np.random.default_rng(seed)
    given_ = {}
    for queue in (UNCERTAIN, OUT_OF_DISTRIBUTION, DISAGREEMENT):
        values = random.exponential(size=size) ** random.integers(0, 5)
        values[random.random(size) < random.random()] = np.nan
        if random.random() < 0.8:
            given_[queue] = values * random.integers(0, 2)
    found = draw("one", keys(size), given_, SHARES, count)
    assert np.all((found.probability > 0) & (found.probability <= 1 + 1e-12))
    assert len({*found.rows.tolist()}) == len(found.rows) == len(found.queues)
    if count >= size:
        assert sorted(found.rows) == [*range(size)]
        assert [*found.probability] == [1.0] * size
    order = random.permutation(size)
    again = draw("one", [keys(size)[i] for i in order], {q: w[order] for q, w in given_.items()}, SHARES, count)
    assert order[again.rows].tolist() == found.rows.tolist()
    assert [*again.queues] == [*found.queues]


def test_what_a_queue_lacks_the_others_take():
    shares = {name: share for name, share in vars(QueueShares()).items() if name != "gold"}
    alone = draw("one", keys(500), {}, shares, 100)
    assert [*alone.queues] == [CONTROL] * 100
    assert alone.probability == pytest.approx(0.2)
    lacking = draw(
        "one", keys(500), {UNCERTAIN: np.full(500, np.nan), DISAGREEMENT: weights(500)[DISAGREEMENT]}, shares, 100
    )
    assert set(lacking.queues) == {CONTROL, DISAGREEMENT}
    assert abs(len(lacking.rows) - 100) <= 5


def test_numbers_drawn_often_are_even_and_say_nothing_of_each_other():
    found = drawn_often("a test", [str(number).encode() for number in range(20_000)], 3)
    assert found.shape == (20_000, 3)
    assert np.all((found >= 0) & (found < 1))
    assert np.abs(np.corrcoef(found.T) - np.eye(3)).max() < 0.03
    for column in found.T:
        assert np.abs(np.histogram(column, 10, (0, 1))[0] / 2000 - 1).max() < 0.1
    assert not np.array_equal(found, drawn_often("another", [str(n).encode() for n in range(20_000)], 3))
