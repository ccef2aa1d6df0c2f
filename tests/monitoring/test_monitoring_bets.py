"""The bets of the stream and label tests are fair: by exact sums over the bins, by formula and by brute force."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.monitoring.bounds import most_mean, most_share
from totalml.monitoring.conformal_bets import (
    ALTERNATIVES,
    BINS,
    CASH,
    MISSING,
    TAILS,
    WAYS,
    Cuts,
    bets,
    least_count,
    least_favourable,
    useful,
)
from totalml.monitoring.loss_bets import loss_bets
from totalml.monitoring.shiryaev_roberts import BLOCK, ShiryaevRoberts, every_row, one_in_all

CHANCE = 0.01


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.data())
def test_a_share_is_bounded_where_so_few_hits_are_as_rare_as_said(count, data):
    hits, alpha = data.draw(st.integers(0, count - 1)), data.draw(st.sampled_from([0.2, 0.01, 1e-6]))
    share = most_share(hits, count, alpha)
    chance = math.fsum(math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(hits + 1))
    assert chance == pytest.approx(alpha, rel=1e-6)


def test_a_share_is_bounded_of_many_samples_too():
    assert most_share(500_000, 1_000_000, 0.05) == pytest.approx(0.5 + 1.644854 * 0.0005, abs=1e-6)
    assert most_share(7, 7, 0.05) == 1.0


def test_a_mean_lies_below_its_bound_as_often_as_said():
    rng = np.random.default_rng(0)
    missed = sum(most_mean(rng.beta(0.5, 4.5, 80), 0.1) < 0.1 for _ in range(500))
    assert missed <= 50
    assert most_mean(np.zeros(0), 0.1) == 1.0
    assert most_mean(np.full(9, 0.5), 0.1) < most_mean(np.full(3, 0.5), 0.1) < 1


@pytest.mark.parametrize("count", [40, 333, 5000])
def test_no_distribution_within_the_limits_wins_by_a_bet(count):
    """Whose corners are: as much as may be in the first groups up to some, and what is left in the last."""
    table = bets(count, CHANCE)
    for column, (way, now) in enumerate(ALTERNATIVES):
        order, null, _ = least_favourable(count, way, now, CHANCE)
        ratios = np.array([table[bins[0], column] for bins in order])
        assert (np.diff(ratios) <= 1e-12).all()
        assert null @ ratios == pytest.approx(1, abs=1e-12)
        for kept in range(len(null)):
            corner = np.concatenate([null[:kept], np.zeros(len(null) - kept)])
            corner[-1] += 1 - corner.sum()
            assert corner @ ratios <= 1 + 1e-12


def test_a_limit_does_not_hold_as_often_as_said():
    """Of the outer places of uniform values, whose chance is known exactly."""
    rng = np.random.default_rng(6)
    _, null, _ = least_favourable(400, "higher", ALTERNATIVES[0][1], 0.2 * len(WAYS) * BINS)
    beyond = sum(1 - Cuts.fit(rng.random(400), rng.random(400)).values[-2] > null[:2].sum() for _ in range(2000))
    assert beyond / 2000 == pytest.approx(0.2, abs=0.03)


def test_bets_are_fair_for_nearly_every_reference():
    """Of uniform values, of which the chance of each bin is known exactly."""
    rng = np.random.default_rng(1)
    unfair = 0
    for _ in range(1000):
        cuts = Cuts.fit(rng.random(400), rng.random(400))
        masses = np.diff([0, *cuts.values, 1])
        unfair += bool((masses @ bets(400, 0.5)[: len(masses)] > 1).any())
    assert 0 < unfair < 500


def test_a_bet_wins_nearly_as_much_as_one_that_knows_the_reference():
    """The divergence of the bins under the alternative, in nats a row."""
    masses = np.diff([0, *TAILS, *(1 - tail for tail in reversed(TAILS)), 1])
    table = bets(100_000, CHANCE)
    for column, (way, now) in enumerate(ALTERNATIVES):
        order, _, new = least_favourable(100_000, way, now, CHANCE)
        old = np.array([masses[bins].sum() for bins in order])
        known = float((new * np.log(new / old)).sum())
        won = float((new * np.log([table[bins[0], column] for bins in order])).sum())
        assert 0.75 * known < won < known


def test_nothing_is_bet_on_what_is_missing_or_against_a_reference_that_is_too_small():
    assert (bets(5000, CHANCE)[MISSING] == 1).all()
    least = least_count(CHANCE)
    assert useful(least, CHANCE).any()
    assert not useful(least - 1, CHANCE).any()
    assert (bets(least - 1, CHANCE) == 1).all()
    assert (bets(5000, CHANCE) >= CASH).all()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([-math.inf, -1.0, 0.0, 0.5, math.inf]), min_size=1, max_size=60),
    st.lists(st.sampled_from([-math.inf, -2.0, -1.0, 0.0, 0.2, 0.5, math.inf, math.nan]), max_size=20),
)
def test_codes_count_the_cuts_below_ties_broken_by_chance(reference, values):
    rng = np.random.default_rng(2)
    cuts = Cuts.fit(np.array(reference), rng.random(len(reference)))
    ties = rng.random(len(values))
    expected = [
        MISSING if math.isnan(value) else sum(cut < (value, tie) for cut in zip(cuts.values, cuts.ties, strict=True))
        for value, tie in zip(values, ties, strict=True)
    ]
    assert cuts.codes(np.array(values, np.float64), ties).tolist() == expected


def test_ties_fall_into_bins_as_often_as_distinct_values():
    """A value that is always the same lies anywhere, as if it were not."""
    rng = np.random.default_rng(3)
    cuts = Cuts.fit(np.zeros(999), rng.random(999))
    shares = np.bincount(cuts.codes(np.zeros(20_000), rng.random(20_000)), minlength=BINS) / 20_000
    assert shares == pytest.approx(np.diff([0, *cuts.ties, 1]), abs=0.02)


@settings(max_examples=100, deadline=None)
@given(
    st.floats(0.001, 0.999),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 3)), min_size=1, max_size=8),
)
def test_losses_win_nothing_while_their_mean_is_the_bound(bound, rows):
    """Of any two samples whose weighted losses balance about the bound, drawn with the chances that balance them."""
    losses, weights = (np.array(each) for each in zip(*rows, strict=True))
    away = weights * (losses - bound)
    won = loss_bets(losses, weights, bound, 3.0)
    assert (won > 0).all()
    for low in np.flatnonzero(away < -1e-9):
        for high in np.flatnonzero(away > 1e-9):
            chance = -away[low] / (away[high] - away[low])
            assert chance * won[high] + (1 - chance) * won[low] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("given", [every_row, one_in_all])
def test_evidence_is_the_sum_of_all_bets_opened_so_far(given):
    rng = np.random.default_rng(4)
    rows = rng.uniform(0.4, 2.0, (2 * BLOCK + 9, 3))
    weights = np.array([0.5, 0.3, 0.2])
    evidence = ShiryaevRoberts(weights, math.inf, given).add(rows)
    opened = given(np.arange(len(rows)))
    for last in (0, 7, BLOCK - 1, BLOCK, len(rows) - 1):
        brute = sum(opened[first] * rows[first : last + 1].prod(axis=0) for first in range(last + 1))
        assert evidence[last] == pytest.approx(float(brute @ weights), rel=1e-12)


def test_a_bet_is_opened_with_what_it_is_given():
    rng = np.random.default_rng(5)
    rows, opened = rng.uniform(0.4, 2.0, (BLOCK + 9, 1)), rng.exponential(3, BLOCK + 9)
    bets = ShiryaevRoberts(np.ones(1), math.inf)
    evidence = np.concatenate([bets.add(rows[:40], opened[:40]), bets.add(rows[40:], opened[40:])])
    brute = sum(opened[first] * rows[first:, 0].prod() for first in range(len(rows)))
    assert evidence[-1] == pytest.approx(brute, rel=1e-12)


def test_fair_bets_own_as_much_as_rows_in_the_mean():
    """By all 2 ** 10 courses of a fair coin."""
    courses = (np.arange(1024)[:, None] >> np.arange(10)) & 1
    owned = [ShiryaevRoberts(np.ones(1), math.inf).add(0.4 + 1.2 * each[:, None])[-1] for each in courses]
    assert np.mean(owned) == pytest.approx(10)


def test_bets_that_are_given_one_together_own_one_in_the_mean():
    courses = (np.arange(1024)[:, None] >> np.arange(10)) & 1
    owned = [ShiryaevRoberts(np.ones(1), math.inf, one_in_all).add(0.4 + 1.2 * each[:, None])[-1] for each in courses]
    assert np.mean(owned) + 1 / 11 == pytest.approx(1)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 150), max_size=6))
def test_evidence_is_the_same_bit_for_bit_in_whatever_batches(sizes):
    rows = np.random.default_rng(5).uniform(0.1, 5.0, (sum(sizes), 4))
    weights = np.full(4, 0.25)
    whole, parts = ShiryaevRoberts(weights, 1e6), ShiryaevRoberts(weights, 1e6)
    together = whole.add(rows)
    apart = [parts.add(each) for each in np.split(rows, np.cumsum(sizes))]
    assert np.concatenate(apart).tolist() == together.tolist()
    assert parts.state() == whole.state()


def test_all_ways_are_bet_on():
    assert {way for way, _ in ALTERNATIVES} == {*WAYS}
