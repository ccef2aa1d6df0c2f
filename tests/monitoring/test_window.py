"""What the window test says of windows that are like the reference, that moved, and that are odd."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.errors import DataError
from totalml.monitoring import Observations, WindowTest
from totalml.monitoring.observations import Categories

BEERS = ("stout", "ale", "cider")


def drawn(rows: int, seed: int = 0, **changed) -> Observations:
    random = np.random.default_rng(seed)
    plain = Observations(
        rows,
        scores={"score": random.uniform(size=rows)},
        numbers={"brightness": random.standard_normal(rows), "age": random.integers(18, 90, rows).astype(float)},
        categories={"beer": Categories(random.integers(0, 3, rows).astype(np.int32), BEERS)},
        embeddings=random.standard_normal((rows, 6)).astype(np.float32),
    )
    return replace(plain, **changed)


@pytest.mark.parametrize("rows", [10, 60])
def test_windows_like_the_reference_are_called_moved_no_more_often_than_promised(rows):
    seeds = range(80)
    found = [WindowTest.fit(drawn(80, seed), permutations=99).test(drawn(rows, 999 + seed)).p for seed in seeds]
    # 12 of 80 at 5 % would come up once in a thousand such tests.
    assert sum(p <= 0.05 for p in found) < 12
    assert np.mean(found) > 0.4


def test_of_a_sample_of_a_long_reference_p_holds_as_well():
    test = WindowTest.fit(drawn(3_000), permutations=99)
    found = [test.test(drawn(30, 1 + seed)).p for seed in range(60)]
    assert sum(p <= 0.05 for p in found) < 10
    assert np.mean(found) > 0.35


def test_a_move_too_small_for_the_sample_is_seen_in_all_rows():
    random = np.random.default_rng(0)
    before, now = random.standard_normal(50_000), random.standard_normal(50_000) + 0.04
    sides = [Observations(50_000, numbers={"x": each}) for each in (before, now)]
    assert WindowTest.fit(sides[0], permutations=199).test(sides[1]).p == 1 / 401


@pytest.mark.parametrize("share", [0.0003, 0.003, 0.03])
def test_what_a_sample_of_a_long_reference_hardly_holds_is_no_alarm(share):
    def rare(rows: int, seed: int) -> Observations:
        random = np.random.default_rng(seed)
        codes, numbers = (random.uniform(size=rows) < share for _ in range(2))
        categories = {"beer": Categories(codes.astype(np.int32), BEERS)}
        return Observations(rows, numbers={"x": np.where(numbers, np.nan, 0.0)}, categories=categories)

    reference = rare(30_000, 0)
    tests = [WindowTest.fit(reference, permutations=49, seed=seed) for seed in range(20)]
    found = [test.test(rare(1_500, 1 + test.seed)).p for test in tests]
    assert sum(p <= 0.05 for p in found) < 5  # of 20 at 5 % once in 400 such tests


@pytest.mark.parametrize(
    ("column", "statistic", "before", "now", "of"),
    [
        ("brightness", "KS", -0.02, 0.89, ""),
        ("beer", "chi-square", 0.32, 0.66, "stout"),
        ("age", "chi-square", 0.0, 0.5, "missing"),
        ("embedding", "MMD", None, None, ""),
    ],
)
def test_the_column_that_moved_is_named_first(column, statistic, before, now, of):
    window = drawn(200, 1)
    moved = {
        "brightness": {"numbers": {**window.numbers, "brightness": window.numbers["brightness"] + 1}},
        "beer": {"categories": {"beer": Categories(window.categories["beer"].codes // 2, BEERS)}},
        "age": {"numbers": {**window.numbers, "age": np.where(np.arange(200) % 2, np.nan, window.numbers["age"])}},
        "embedding": {"embeddings": window.embeddings + np.float32(0.6)},
    }
    result = WindowTest.fit(drawn(300)).test(replace(window, **moved[column]))
    first, second = result.moves[:2]
    assert (first.name, first.statistic, first.of) == (column, statistic, of)
    assert result.p == first.p < 0.005
    assert second.p > 0.05
    assert (first.before, first.now) == pytest.approx((before, now), abs=0.05)


def test_few_pictures_of_a_new_kind_are_shown_by_the_witness():
    window = drawn(200, 1)
    window.embeddings[::20] = 3 + 0.1 * window.embeddings[::20]
    result = WindowTest.fit(drawn(300)).test(window)
    assert set(np.argsort(-result.witness)[:10]) == set(range(0, 200, 20))


def test_samples_that_come_together_are_moved_together():
    def clumped(units: int, seed: int) -> Observations:
        random = np.random.default_rng(seed)
        each = np.repeat(np.arange(units), 20)
        values = random.standard_normal(units)[each] + 0.1 * random.standard_normal(len(each))
        return Observations(len(each), numbers={"x": values}, units=each)

    reference, windows = clumped(12, 0), [clumped(8, 1 + seed) for seed in range(60)]
    apart = WindowTest.fit(replace(reference, units=None), permutations=99)
    assert sum(apart.test(replace(window, units=None)).p <= 0.05 for window in windows) > 30
    seeds = range(60)
    together = [WindowTest.fit(clumped(12, 99 + seed), permutations=99).test(windows[seed]).p for seed in seeds]
    assert sum(p <= 0.05 for p in together) < 10
    assert np.mean(together) < 0.65


def test_too_few_units_say_how_many_are_lacking():
    reference = drawn(30, units=np.arange(30) // 10)
    result = WindowTest.fit(reference).test(drawn(60, 1, units=np.arange(60) // 30))
    assert (result.p, result.moves, result.too_few) == (1.0, (), 2)
    assert WindowTest.fit(reference).test(drawn(40, 1, units=np.arange(40) // 10)).too_few == 0


def test_an_empty_window_has_not_moved():
    assert WindowTest.fit(drawn(30)).test(drawn(0)).too_few == 1


def test_a_low_level_is_told_by_more_permutations_only_where_they_matter():
    test = WindowTest.fit(drawn(100), permutations=99, level=0.005)
    assert test.test(drawn(100, 1)).p > 0.05
    moved = drawn(100, 1, scores={"score": np.full(100, 0.5)})
    assert test.test(moved).p == 1 / 4001


def test_the_order_of_rows_moves_no_statistic():
    reference, window = drawn(60), drawn(40, 1)
    shuffled = window.take(np.random.default_rng(5).permutation(40))
    one, other = (WindowTest.fit(reference).test(each) for each in (window, shuffled))
    values = [{(move.name, move.of): move.value for move in result.moves} for result in (one, other)]
    assert values[0] == pytest.approx(values[1], rel=1e-3)
    assert one.p == pytest.approx(other.p, abs=0.06)


def test_what_the_reference_lacks_is_left_out_of_its_numbers():
    numbers = np.where(np.arange(60) % 2, np.nan, np.arange(100.0, 160.0))
    rows = Observations(60, numbers={"x": numbers})
    (move,) = [each for each in WindowTest.fit(rows).test(rows).moves if each.statistic == "KS"]
    assert (move.value, move.before, move.now) == (0, 128, 128)


def test_the_same_window_is_told_the_same():
    one, other = (WindowTest.fit(drawn(60), seed=3).test(drawn(40, 1)) for _ in range(2))
    assert (one.p, one.moves) == (other.p, other.moves)
    assert (one.witness == other.witness).all()


def test_what_does_not_fit_is_told_at_once():
    window = drawn(
        40,
        embeddings=np.zeros((40, 9), np.float32),
        units=np.arange(40),
    )
    with pytest.raises(DataError) as told:
        WindowTest.fit(drawn(40)).test(window)
    for part in ("6 numbers long and are 9", "only the window"):
        assert part in str(told.value)


def test_a_column_of_another_kind_counts_as_missing():
    """That it is, quality says; one column does not stop a window."""
    changed = {"age": Categories(np.zeros(40, np.int32), ("old",))}
    moves = WindowTest.fit(drawn(60)).test(drawn(40, 1, numbers={}, categories=changed)).moves
    without = WindowTest.fit(drawn(60)).test(drawn(40, 1, numbers={}, categories={})).moves
    assert moves == without
    assert moves[0].p < 0.01


@pytest.mark.parametrize("reference", [drawn(0), Observations(5)])
def test_a_reference_of_nothing_is_refused(reference):
    with pytest.raises(DataError, match="at least one row and one column"):
        WindowTest.fit(reference)


def test_a_column_that_the_window_lacks_is_missing_and_one_that_only_it_has_is_left():
    window = drawn(100, 1, numbers={"age": drawn(100, 1).numbers["age"], "new": np.zeros(100)}, embeddings=None)
    result = WindowTest.fit(drawn(100)).test(window)
    told = {move.name for move in result.moves if move.of == "missing" and move.now == 1.0 and move.p < 0.005}
    assert told == {"brightness", "embedding"}
    assert "new" not in {move.name for move in result.moves}


numbers = st.sampled_from([0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324])


@st.composite
def odd(draw, most: int = 14):
    rows = draw(st.integers(0, most))

    def column(values):
        return draw(st.lists(values, min_size=rows, max_size=rows))

    names = draw(st.lists(st.sampled_from(("a", "b", "c")), unique=True, max_size=3))
    embeddings = draw(st.none() | st.sampled_from([0.0, 1.0, 1e30, np.nan, np.inf]))
    random = np.random.default_rng(draw(st.integers(0, 9)))
    return Observations(
        rows,
        numbers={"x": np.array(column(numbers), float)} if draw(st.booleans()) else {},
        categories={"c": Categories(np.array(column(st.integers(-1, len(names) - 1)), np.int32), tuple(names))},
        embeddings=None if embeddings is None else (random.choice([1, embeddings], (rows, 2))).astype(np.float32),
        units=np.array(column(st.integers(0, 5)), np.int64) if draw(st.integers(0, 3)) == 0 else None,
    )


@given(odd(), odd())
@settings(max_examples=100, deadline=None)
def test_odd_windows_get_a_result_or_are_told_why_not(reference, window):
    try:
        result = WindowTest.fit(reference, permutations=40).test(window)
    except DataError:
        return
    assert 0 < result.p <= 1
    assert all(result.p <= move.p <= 1 and np.isfinite(move.value) for move in result.moves)
    assert [move.p for move in result.moves] == sorted(move.p for move in result.moves)
    assert result.witness is None or result.witness.shape == (window.count,)
