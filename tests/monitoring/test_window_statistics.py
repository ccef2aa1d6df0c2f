"""Each statistic of the window test against others' code, or every case counted by hand."""

import itertools
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from totalml.monitoring import kernel, order
from totalml.monitoring.counts import chi_square, of_categories, of_missing
from totalml.monitoring.kernel import DOUBLINGS, Features, of_embeddings
from totalml.monitoring.observations import Categories
from totalml.monitoring.order import OrderStatistic, ks_distance
from totalml.monitoring.permutations import adjusted, assignments, lacking
from totalml.monitoring.sampled import sampled

tied = st.lists(st.integers(-3, 3).map(float) | st.floats(allow_nan=False, width=32), min_size=1, max_size=30)


@given(tied, tied)
@settings(max_examples=100, deadline=None)
def test_the_gap_is_that_of_scipy(before, now):
    gap = ks_distance(np.sort(np.array(before)), np.array(now))
    assert gap == pytest.approx(gap_of_every_value(before, now), abs=1e-12)
    if min(len(before), len(now)) > 1 and np.isfinite([*before, *now]).all():
        assert gap == pytest.approx(stats.ks_2samp(before, now, method="asymp").statistic, abs=1e-12)


@given(st.lists(st.integers(0, 4).map(float) | st.just(math.nan), min_size=2, max_size=20), st.data())
@settings(max_examples=60, deadline=None)
def test_under_each_assignment_it_is_the_gap_of_those_rows(values, data):
    pooled = np.array(values)
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))))
    before, now = (part[~np.isnan(part)] for part in (pooled[~chosen], pooled[chosen]))
    statistic = OrderStatistic("column", np.sort(before), now, pooled)
    found = statistic.permuted(chosen[:, None].astype(np.int8))
    scale = len(before) * len(now) / max(len(before) + len(now), 1)
    assert found[0] == pytest.approx(scale * gap_of_every_value(before, now) ** 2, rel=1e-5)
    assert statistic.seen == pytest.approx(found[0], rel=1e-5)


@pytest.mark.parametrize("draw", ["normal", "wide", "whole", "two heaps far apart"])
def test_of_many_numbers_the_gap_is_told_to_two_thousandths(draw):
    random = np.random.default_rng(0)
    draws = {
        "normal": random.standard_normal,
        "wide": random.standard_cauchy,
        "whole": lambda rows: random.integers(0, 50, rows).astype(float),
        "two heaps far apart": lambda rows: random.choice([0.0, 1e9], rows) + random.standard_normal(rows),
    }
    before, now = (draws[draw](rows) for rows in (20_000, 60_000))
    now[:6_000] += 0.5
    exact = stats.ks_2samp(before, now, method="asymp").statistic
    assert exact - 0.002 <= ks_distance(np.sort(before), now) <= exact + 1e-12


def test_chi_square_is_that_of_scipy():
    table = np.array([[30, 12, 5, 9], [11, 14, 6, 2]])
    both = table.sum(axis=0)[:, None].astype(float)
    expected = stats.chi2_contingency(table, correction=False).statistic
    assert chi_square(both, table[1][:, None].astype(float))[0] == pytest.approx(expected)


@pytest.mark.parametrize("units", [60, 12])  # as many as rows, and such that each assignment chooses other numbers
def test_columns_together_are_as_each_by_itself(monkeypatch, units):
    """Of all kinds: no two equal, many equal, one number, some missing in rows of their own or of others."""
    monkeypatch.setattr(order, "AT_ONCE", 3)
    rng = np.random.default_rng(0)
    columns = [rng.normal(size=60), rng.integers(0, 4, 60) + 0.0, np.ones(60), np.full(60, np.nan), rng.normal(size=60)]
    columns += [np.where(rng.random(60) < 0.3, np.nan, each) for each in columns[:2]]
    columns += [np.where(np.isnan(columns[5]), np.nan, rng.normal(size=60)), np.maximum(rng.normal(size=60), 0)]
    unit_of = rng.integers(0, units, 60) if units < 60 else np.arange(60)
    ones = assignments(np.unique(unit_of, return_inverse=True)[1], units // 3, 20, rng)
    found = order.permuted([OrderStatistic("", each, each, each) for each in columns], ones)
    for column, squares in zip(columns, found, strict=True):
        there = ~np.isnan(column)
        for chosen, square in zip(ones.T[:, there] == 1, squares, strict=True):
            sides = column[there][~chosen], column[there][chosen]
            gap = stats.ks_2samp(*sides, method="asymp").statistic if min(map(len, sides)) else 0
            assert square == pytest.approx(gap**2 * len(sides[0]) * len(sides[1]) / max(there.sum(), 1))


@pytest.mark.parametrize(
    ("missing", "permuted", "is_asked"),
    [((0, 0), 40, False), ((0, 1), 40, True), ((2, 2), 39, False), ((3, 2), 39, True), ((0, 5), 39, True)],
)
def test_what_is_missing_is_asked_where_enough_is_to_tell(missing, permuted, is_asked):
    """Of some of the rows, at least five missing ones; of all of them one."""
    before, now = (np.arange(size) < count for size, count in zip((40, 25), missing, strict=True))
    found = of_missing("age", before, now, (np.arange(permuted), np.arange(25)))
    assert (found is not None) == is_asked
    if found is not None:
        shares = [count / size for size, count in zip((40, 25), missing, strict=True)]
        move = found.move(0.5)
        assert (move.of, move.before, move.now) == ("missing", *shares)
        table = [[40 - missing[0], missing[0]], [25 - missing[1], missing[1]]]
        assert found.seen == pytest.approx(stats.chi2_contingency(table, correction=False).statistic)
        ones = np.repeat([0, 1], [permuted, 25])[:, None].astype(np.int8)
        table[0][0] -= 40 - permuted  # the last one is there
        of_permuted = stats.chi2_contingency(table, correction=False).statistic
        assert found.permuted(ones)[0] == pytest.approx(of_permuted, rel=1e-5)


def test_rare_categories_are_pooled_and_what_is_missing_is_one():
    before = Categories(np.array([0] * 20 + [1] * 20 + [2] * 2 + [-1] * 6, np.int32), ("ale", "stout", "cider"))
    now = Categories(np.array([0] * 20 + [1] * 3 + [-1] * 3, np.int32), ("stout", "perry"))
    statistic = of_categories("beer", before, now, (np.arange(48), np.arange(26)))
    found = dict(zip(statistic.groups, zip(statistic.before, statistic.now, strict=True), strict=True))
    assert found == {"stout": (20, 20), "ale": (20, 0), "missing": (6, 3), "others": (2, 3)}
    ones = np.repeat([0, 1], [48, 26]).astype(np.int8)[:, None]
    expected = stats.chi2_contingency(np.array(list(found.values())), correction=False).statistic
    assert statistic.permuted(ones)[0] == pytest.approx(expected)
    assert statistic.seen == pytest.approx(expected)


@pytest.mark.parametrize("far", [0.0, 1e4])
def test_the_discrepancy_is_that_of_all_pairs(far):
    random = np.random.default_rng(3)
    before, now = (random.standard_normal((rows, 3)) + far for rows in (40, 25))
    now[:, 0] += 0.7
    before, now = before.astype(np.float32), now.astype(np.float32)
    rows = np.arange(40), np.arange(25)
    statistic = of_embeddings((before, now), (np.ones(40, bool), np.ones(25, bool)), rows, random)
    kernel = kernel_of_all_pairs(np.concatenate([before, now]).astype(np.float64))
    sides = np.repeat([-1 / 40, 1 / 25], [40, 25])
    squared = sides @ kernel @ sides
    assert statistic.move(1.0).value == pytest.approx(math.sqrt(squared), rel=1e-3)
    ones = np.repeat([0, 1], [40, 25]).astype(np.int8)[:, None]
    center = np.eye(65) - 1 / 65
    own = np.diag(center @ kernel @ center)
    squared -= (own[:40].mean() - own.mean()) / 40 + (own[40:].mean() - own.mean()) / 25
    assert statistic.permuted(ones)[0] == pytest.approx(squared * 40 * 25 / 65, rel=2e-3)
    assert statistic.seen == pytest.approx(statistic.permuted(ones)[0], rel=1e-4)
    np.testing.assert_allclose(statistic.witness, (kernel @ sides)[40:], atol=2e-4)


def test_features_made_a_chunk_at_a_time_say_what_all_of_them_say(monkeypatch):
    random = np.random.default_rng(5)
    before, now = (random.standard_normal((rows, 4)).astype(np.float32) for rows in (50, 90))
    now[:, 0] += 0.5
    now[7] = np.nan
    there = np.ones(50, bool), np.isfinite(now).all(axis=1)
    some = np.arange(30), np.arange(40)
    whole = of_embeddings((before, now), there, some, np.random.default_rng(0))
    monkeypatch.setattr(kernel, "CHUNK", 16)
    statistic = of_embeddings((before, now), there, some, np.random.default_rng(0))
    assert isinstance(statistic.now, kernel.Unmade)
    made = np.concatenate([*kernel._chunks(whole.now)])
    assert made.shape[0] == 90
    direction = made[there[1]].mean(axis=0, dtype=np.float64) - statistic.before.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(statistic.direction, direction, atol=1e-6)
    np.testing.assert_allclose(statistic.witness, made @ direction, atol=1e-5)
    assert np.flatnonzero(np.isnan(statistic.witness)).tolist() == [7]
    assert statistic.seen == pytest.approx(whole.seen, rel=1e-5)


@pytest.mark.parametrize("width", [1, 2])
def test_of_embeddings_that_lie_on_a_line_the_kernel_is_that_of_all_pairs(width):
    random = np.random.default_rng(0)
    rows = np.repeat(random.normal(size=(300, 1)), width, axis=1).astype(np.float32)
    features = Features.of(rows, random)
    assert features is not None
    each = features(rows).astype(np.float64)
    squares = np.square(rows[:, None].astype(np.float64) - rows).sum(axis=2) / features.scale
    exact = sum(
        weight * np.exp(-squares * 4.0 / 2**doubling)  # of widths that double from a quarter
        for doubling, weight in zip(range(DOUBLINGS), features.weights[::-1], strict=True)
    )
    assert np.abs(each @ each.T - exact).mean() < 1e-3


@pytest.mark.parametrize("seed", range(5))
def test_embeddings_that_are_nearly_the_same_are_held_against_each_other(seed):
    random = np.random.default_rng(seed)
    along = random.standard_normal((300, 1)) @ random.standard_normal((1, 64))
    rows = np.concatenate([along, along * (1 + 1e-6)]).astype(np.float32)
    there, every = np.ones(300, bool), np.arange(300)
    statistic = of_embeddings((rows[:300], rows[300:]), (there, there), (every, every), random)
    assert statistic.move(1.0).value < 1e-2
    far = of_embeddings((rows[:300], rows[300:] + 1), (there, there), (every, every), random)
    assert far.move(1.0).value > 0.1


def test_of_one_statistic_p_counts_those_at_least_as_large():
    values = np.array([3.0, 5, 1, 3, 2, 3 * (1 + 1e-9), 0, 7])
    assert adjusted(values[None])[1][0] == 5 / 8


@given(st.integers(0, 10**6), st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_whichever_of_all_assignments_was_seen_p_holds_what_it_says(seed, columns):
    statistics = all_statistics(np.random.default_rng(seed).integers(0, 4, (columns, 8)).astype(float), 3)
    least = [adjusted(np.roll(statistics, -seen, axis=1))[1][0] for seen in range(statistics.shape[1])]
    for level in set(least):
        assert np.mean(np.array(least) <= level) <= level + 1e-12


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_adjusted_p_is_at_most_that_of_westfall_and_young_by_hand(seed):
    statistics = all_statistics(np.random.default_rng(seed).standard_normal((3, 8)), 3)
    ranks = np.array([[(row >= value - 1e-9).mean() for value in row] for row in statistics])
    first = np.argsort(ranks[:, 0], kind="stable")
    by_hand, reached = np.empty(3), 0.0
    for place, row in enumerate(first):
        reached = max(reached, float(np.mean(ranks[first[place:]].min(axis=0) <= ranks[row, 0] + 1e-9)))
        by_hand[row] = reached
    found = np.empty(3)
    order, p = adjusted(statistics)
    found[order] = p
    # Theirs counts all that tie in rank; ours of those the ones that stand out no less.
    assert (found <= by_hand + 1e-12).all()
    assert (found >= ranks[:, 0] - 1e-12).all()


def test_an_outstanding_statistic_is_not_lost_among_a_hundred():
    random = np.random.default_rng(0)
    statistics = random.chisquare(3, (100, 1001))
    statistics[17, 0] = 60
    first, p = adjusted(statistics)
    assert (first[0], p[0]) == (17, 1 / 1001)


def test_assignments_draw_whole_units_and_each_equally_often():
    units = np.array([0, 0, 1, 2, 2, 2, 3])
    ones = assignments(units, 2, 6000, np.random.default_rng(0))
    for rows in ([0, 1], [3, 4, 5]):
        assert (ones[rows] == ones[rows[0]]).all()
    drawn = ones[[0, 2, 3, 6]]
    assert (drawn.sum(axis=0) == 2).all()
    _, times = np.unique(drawn, axis=1, return_counts=True)
    assert stats.chisquare(times).pvalue > 1e-3
    assert len(times) == 6


@pytest.mark.parametrize(
    ("before", "now", "level"), [(3, 1, 0.05), (5, 2, 0.05), (9, 0, 0.1), (2, 3, 1e-3), (99, 1, 0.01)]
)
def test_lacking_is_the_least_number_that_reaches_below_the_level(before, now, level):
    more = lacking(before, now, level)
    assert math.comb(before + now + more, before) * level > 1
    assert more == 0 or math.comb(before + now + more - 1, before) * level <= 1


def test_units_are_thinned_alike_on_both_sides():
    random = np.random.default_rng(0)
    before, now = random.integers(0, 30, 5000), random.integers(0, 10, 90)
    kept = sampled(before, now, 100, random)
    most = [np.bincount(side[rows]).max() for side, rows in zip((before, now), kept, strict=True)]
    assert [len(np.unique(side[rows])) for side, rows in zip((before, now), kept, strict=True)] == [30, 10]
    assert most == [3, 3]


def gap_of_every_value(before, now) -> float:
    if not len(before) or not len(now):
        return 0.0
    before, now = np.array(before), np.array(now)
    return max(abs(float((before <= value).mean() - (now <= value).mean())) for value in (*before, *now))


def all_statistics(columns: NDArray[np.float64], chosen: int) -> NDArray[np.float64]:
    """(S, all assignments) of squared gaps."""
    rows = columns.shape[1]
    drawn = np.zeros((rows, math.comb(rows, chosen)), np.int8)
    for place, some in enumerate(itertools.combinations(range(rows), chosen)):
        drawn[list(some), place] = 1
    return np.stack([OrderStatistic("", each, each, each).permuted(drawn) for each in columns])


def kernel_of_all_pairs(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian kernels, each weighed by how little its discrepancy varies."""
    squares = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    scale = np.median(squares[squares > 0])
    kernels = [np.exp(-squares / scale * 2.0 ** (power - DOUBLINGS // 2)) for power in range(DOUBLINGS)]
    center = np.eye(len(rows)) - 1 / len(rows)
    apart = ~np.eye(len(rows), dtype=bool)
    weights = np.array([1 / np.linalg.norm((center @ each @ center)[apart]) for each in kernels])
    return np.tensordot(weights / weights.sum(), np.array(kernels), 1)


def test_the_kernel_of_many_rows_is_held_a_part_at_a_time():
    """One of 20,000 rows with 128 landmarks at five widths takes 51 MB, and its distances as many again."""
    rows = np.random.default_rng(0).normal(size=(20_000, 64)).astype(np.float32)
    features = Features.of(rows, np.random.default_rng(1))
    tracemalloc.start()
    try:
        found = features(rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - found.nbytes < 32e6
