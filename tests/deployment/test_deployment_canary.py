"""What is said of a canary holds however often one looks: checked by simulation, by formula and by brute force."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.deployment.canary import Canary, Margins
from totalml.deployment.sequential import STEPS, ArmsTest, share_bounds


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
def test_bounds_hold_at_all_counts_at_once(share):
    rng = np.random.default_rng(1)
    looks = [*range(1, 40), *range(40, 1000, 60)]
    missed = 0
    for _ in range(300):
        hits = np.cumsum(rng.random(1000) < share)
        bounds = (share_bounds(int(hits[count - 1]), count, 0.1) for count in looks)
        missed += any(not low <= share <= high for low, high in bounds)
    assert missed <= 0.1 * 300 + 3 * math.sqrt(300 * 0.1 * 0.9)
    assert missed < 30


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_bounds_are_where_the_likelihood_crosses(hits_and_count):
    hits, count = hits_and_count
    low, high = share_bounds(hits, count, 0.05)
    shares = np.linspace(1e-6, 1 - 1e-6, 20_001)
    likelihood = hits * np.log(shares) + (count - hits) * np.log1p(-shares)
    mixture = math.log(math.factorial(hits) * math.factorial(count - hits)) - math.log(math.factorial(count + 1))
    kept = shares[likelihood >= mixture + math.log(0.05)]
    assert low == pytest.approx(kept.min(), abs=2e-4)
    assert high == pytest.approx(kept.max(), abs=2e-4)


def test_nothing_seen_says_nothing():
    assert share_bounds(0, 0, 0.05) == (0.0, 1.0)
    low, high = share_bounds(0, 10, 0.05)
    assert (low, high < 0.6) == (0.0, True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), max_size=30), st.floats(0.05, 0.95), st.booleans())
def test_each_bet_is_fair(ends, share, bad):
    """Whatever happened before: by hand, over both arms that the next request may take."""

    def wealth(arm: bool) -> float:
        test = ArmsTest(share)
        for place, end in enumerate(ends):
            test.add(place % 3 == 0, end)
        before = math.exp(test.log_wealth)
        test.add(arm, bad)
        return math.exp(test.log_wealth) / before

    assert share * wealth(True) + (1 - share) * wealth(False) == pytest.approx(1)


def simulate(rng, count: int, share: float, rates: tuple[float, float]) -> int | None:
    """After how many requests a canary of a rate beside another one is stopped; None: never."""
    arms = rng.random(count) < share
    bad = rng.random(count) < np.where(arms, rates[1], rates[0])
    test, level = ArmsTest(share), -math.log(0.05)
    for number, (arm, end) in enumerate(zip(arms.tolist(), bad.tolist(), strict=True), start=1):
        test.add(arm, end)
        if test.largest >= level:
            return number
    return None


@pytest.mark.slow
def test_of_500_canaries_of_equal_releases_at_most_5_percent_are_stopped():
    rng = np.random.default_rng(2)
    counts = np.geomspace(20, 5000, 500).astype(int)
    stopped = 0
    for number, count in enumerate(counts):
        rate, share = (0.0, 0.01, 0.05, 0.3)[number % 4], (0.05, 0.1, 0.5)[number % 3]
        stopped += simulate(rng, int(count), share, (rate, rate)) is not None
    assert stopped <= 25


def test_a_rate_that_moves_with_the_hour_stops_no_equal_canary():
    rng = np.random.default_rng(3)
    stopped = 0
    for _ in range(60):
        arms = rng.random(2000) < 0.1
        bad = rng.random(2000) < np.repeat([0.01, 0.5], 1000)
        test = ArmsTest(0.1)
        for arm, end in zip(arms.tolist(), bad.tolist(), strict=True):
            test.add(arm, end)
        stopped += test.worse(0.05)
    assert stopped <= 6


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.02, 0.05, 0.10])
def test_a_loss_of_five_points_is_caught_in_90_percent_by_2000_labelled_requests(rate):
    """Half of all requests each, of which 2,000 went to the canary."""
    rng = np.random.default_rng(4)
    caught = sum(simulate(rng, 4000, 0.5, (rate, rate + 0.05)) is not None for _ in range(100))
    assert caught >= 90


def test_outcomes_are_failed_passed_or_undecided_with_what_would_decide():
    rng = np.random.default_rng(5)
    margins = Margins()

    def judged(count: int, failing: float, slow: float):
        canary = Canary(0.5, margins)
        for _ in range(count):
            arm = bool(rng.random() < 0.5)
            canary.add(arm, bool(arm and rng.random() < failing), bool(rng.random() < (slow if arm else 0.1)))
        return canary.judge()

    assert judged(0, 0, 0.1).outcome == "undecided"
    assert judged(0, 0, 0.1).more is None
    few = judged(200, 0.0, 0.1)
    assert few.outcome == "undecided"
    assert few.more is not None
    many = judged(200 + 2 * few.more, 0.0, 0.1)
    assert many.outcome == "passed"
    assert all(low <= 0 <= high for _, low, high in (many.difference[name] for name in ("failures", "slow")))
    broken = judged(400, 0.5, 0.1)
    assert (broken.outcome, broken.decided_by) == ("failed", "failures")
    slower = judged(1500, 0.0, 0.4)
    assert (slower.outcome, slower.decided_by) == ("failed", "slow")


def test_labels_are_waited_for_where_they_are_asked_for():
    canary = Canary(0.5, Margins(), labelled=True)
    for number in range(20_000):
        canary.add(number % 2 == 0, False, number % 20 < 2)
    assert canary.judge().outcome == "undecided"
    for number in range(30_000):
        canary.add_label(number % 2 == 0, number % 40 < 2)
    assert canary.judge().outcome == "passed"


def test_a_wealth_once_reached_counts_for_good():
    test = ArmsTest(0.5)
    for _ in range(20):
        test.add(True, True)
    assert test.worse(0.05)
    for _ in range(500):
        test.add(True, False)
    assert test.log_wealth < 0
    assert test.worse(0.05)
    assert len(STEPS) == len(test._logs)
