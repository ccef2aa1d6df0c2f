"""What is said of a challenger holds however often one looks: checked by simulation, by formula and by brute force."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.deployment.canary import ERRORS, FAILURES, FIRST, SLOW, Ends, beyond_usual, judge_canary
from totalml.deployment.deployment import MarginsRecipe
from totalml.deployment.judgement import Judgement
from totalml.deployment.sequential import STEPS, difference_bounds, log_wealth, share_bounds, shown_worse
from totalml.deployment.shadow import Pairs, judge_shadow
from totalml.recipe.gates import GateRecipe

MARGINS = MarginsRecipe().model_dump()
NOTHING = Ends(np.zeros(0, np.bool_), np.zeros(0, np.bool_))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
def test_bounds_hold_at_all_counts_at_once(share):
    rng = np.random.default_rng(1)
    looks = [*range(1, 40), *range(40, 1000, 60)]
    missed = 0
    for _ in range(300):
        hits = np.cumsum(rng.random(1000) < share)
        bounds = (share_bounds(int(hits[count - 1]), count, 0.1) for count in looks)
        missed += any(not low <= share <= high for low, high in bounds)
    assert missed < 30


def test_bounds_hold_for_numbers_and_for_differences_too():
    """Of numbers within 0..1 and -1..1 with a known mean, looked at all the time."""
    rng = np.random.default_rng(6)
    looks = [*range(1, 30), *range(30, 600, 60)]
    missed = missed_difference = 0
    for _ in range(200):
        numbers = rng.beta(0.5, 4.5, 600)  # mean 0.1
        sums = np.cumsum(numbers)
        missed += any(not (b := share_bounds(sums[n - 1], n, 0.1))[0] <= 0.1 <= b[1] for n in looks)
        differences = rng.choice([-1.0, 0.0, 0.5], 600, p=[0.05, 0.75, 0.2])  # mean 0.05
        ups, downs = np.cumsum(differences.clip(0)), np.cumsum(-differences.clip(None, 0))
        bounds = (difference_bounds(ups[n - 1], downs[n - 1], n, 0.1) for n in looks)
        missed_difference += any(not low <= 0.05 <= high for low, high in bounds)
    assert missed < 20
    assert missed_difference < 20


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
    assert not shown_worse(*vars(NOTHING).values(), 0.1, 0.05)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=30), st.floats(0.05, 0.95), st.booleans())
def test_each_bet_is_fair(before, share, bad):
    """Whatever happened before: by hand, over both arms that the next request may take."""
    arms, ends = ([pair[place] for pair in before] for place in (0, 1))

    def won(arm: bool) -> float:
        wealth = np.exp(log_wealth(np.array([*arms, arm]), np.array([*ends, bad]), share))
        return wealth[-1] / (wealth[-2] if before else 1.0)

    assert share * won(True) + (1 - share) * won(False) == pytest.approx(1)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60), st.floats(0.05, 0.95))
def test_wealth_is_what_one_bet_after_the_other_wins(requests, share):
    """By a loop that knows nothing but what came before."""
    seen, bad_seen, wealth = 10.0, 0.5, np.ones(len(STEPS))
    expected = []
    for arm, bad in requests:
        rate = min(max(bad_seen / seen, 1e-4), 1 - 1e-4)
        for place, step in enumerate(STEPS):
            worse = min(rate + step, 1 - 1e-4)
            theirs, ours = (worse, rate) if bad else (1 - worse, 1 - rate)
            bet = share * theirs / (share * theirs + (1 - share) * ours)
            wealth[place] *= bet / share if arm else (1 - bet) / (1 - share)
        if not arm:
            seen, bad_seen = seen + 1, bad_seen + bad
        expected.append(wealth.mean())
    arms, ends = (np.array([pair[place] for pair in requests]) for place in (0, 1))
    assert np.exp(log_wealth(arms, ends, share)) == pytest.approx(expected)


def stopped(rng, count: int, share: float, rates: tuple[float, float], alpha: float = 0.05) -> bool:
    """Whether a canary of a rate beside another one is stopped at any time."""
    arms = rng.random(count) < share
    bad = rng.random(count) < np.where(arms, rates[1], rates[0])
    return shown_worse(arms, bad, share, alpha)


def test_of_500_canaries_of_equal_releases_at_most_5_percent_are_stopped():
    rng = np.random.default_rng(2)
    counts = np.geomspace(20, 5000, 500).astype(int)
    found = 0
    for number, count in enumerate(counts):
        rate, share = (0.0, 0.01, 0.05, 0.3)[number % 4], (0.05, 0.1, 0.5)[number % 3]
        found += stopped(rng, int(count), share, (rate, rate))
    assert found <= 25


def test_of_500_equal_canaries_at_most_5_percent_are_stopped_by_all_figures_together():
    """As the product judges them: failures, slowness by a bound that the first requests give, and labels."""
    rng = np.random.default_rng(7)
    found = 0
    for count in np.geomspace(20, 5000, 500).astype(int):
        arms = rng.random(count) < 0.1
        seconds = rng.lognormal(-5, 0.5, count)
        ends = {
            FAILURES: Ends(arms, rng.random(count) < 0.01),
            SLOW: beyond_usual(arms, seconds),
            ERRORS: Ends(arms, rng.random(count) < 0.05),
        }
        found += judge_canary(ends, 0.1, MARGINS).outcome == "failed"
    assert found <= 25


def test_a_rate_that_moves_with_the_hour_stops_no_equal_canary():
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(60):
        arms = rng.random(2000) < 0.1
        bad = rng.random(2000) < np.repeat([0.01, 0.5], 1000)
        found += shown_worse(arms, bad, 0.1, 0.05)
    assert found <= 6


@pytest.mark.parametrize("rate", [0.02, 0.05, 0.10])
def test_a_loss_of_five_points_is_caught_in_90_percent_by_2000_labelled_requests(rate):
    """Half of all requests each, of which 2,000 went to the canary."""
    rng = np.random.default_rng(4)
    assert sum(stopped(rng, 4000, 0.5, (rate, rate + 0.05)) for _ in range(200)) >= 180


def test_outcomes_are_failed_passed_or_undecided_with_what_would_decide():
    rng = np.random.default_rng(5)

    def judged(count: int, failing: float, slow: float):
        arms = rng.random(count) < 0.5
        failed, slower = (
            rng.random(count) < np.where(arms, rate, other) for rate, other in ((failing, 0), (slow, 0.1))
        )
        return judge_canary({FAILURES: Ends(arms, failed), SLOW: Ends(arms, slower), ERRORS: NOTHING}, 0.5, MARGINS)

    assert judged(0, 0, 0.1).outcome == "undecided"
    assert judged(0, 0, 0.1).more is None
    few = judged(200, 0.0, 0.1)
    assert few.outcome == "undecided"
    assert few.more is not None
    many = judged(200 + 2 * few.more, 0.0, 0.1)
    assert many.outcome == "passed"
    assert all(figure.value.low <= 0 <= figure.value.high for figure in many.figures if figure.asked)
    broken = judged(400, 0.5, 0.1)
    assert broken.outcome == "failed"
    assert [told.partition(":")[0] for told in broken.decided_by] == [FAILURES]
    slower = judged(1500, 0.0, 0.4)
    assert [told.partition(":")[0] for told in slower.decided_by] == [SLOW]


def test_labels_are_waited_for_where_they_are_asked_for_and_stop_where_they_are_not():
    arms = np.arange(20_000) % 2 == 0
    ends = {FAILURES: Ends(arms, arms & False), SLOW: Ends(arms, np.arange(20_000) % 20 < 2), ERRORS: NOTHING}
    assert judge_canary(ends, 0.5, MARGINS, labelled=True).outcome == "undecided"
    assert judge_canary(ends, 0.5, MARGINS).outcome == "passed"
    same = Ends(arms, np.arange(20_000) % 40 < 2)
    assert judge_canary(ends | {ERRORS: same}, 0.5, MARGINS, labelled=True).outcome == "passed"
    worse = Ends(arms, arms & (np.arange(20_000) % 40 < 20))
    assert judge_canary(ends | {ERRORS: worse}, 0.5, MARGINS).outcome == "failed"


def test_a_wealth_once_reached_counts_for_good():
    arm, bad = np.ones(520, np.bool_), np.arange(520) < 20
    assert log_wealth(arm, bad, 0.5)[-1] < 0
    assert shown_worse(arm, bad, 0.5, 0.05)


def test_a_canary_that_got_less_than_its_share_but_ended_no_worse_is_not_stopped():
    arms = np.arange(4000) % 20 == 0  # one in twenty where it should be one in five
    nothing_bad = Ends(arms, np.zeros(4000, np.bool_))
    assert shown_worse(arms, nothing_bad.bad, 0.2, 0.01)
    ends = {FAILURES: nothing_bad, SLOW: NOTHING, ERRORS: NOTHING}
    assert judge_canary(ends, 0.2, MARGINS).outcome != "failed"


def test_requests_of_many_samples_that_are_alike_stop_no_equal_canary():
    """Each is one throw of the dice, however many of its samples are wrong; and a worse one is found by shares too."""
    rng = np.random.default_rng(12)
    found = worse = 0
    for _ in range(100):
        arms = rng.random(500) < 0.1
        rates = rng.beta(0.3, 2.7, 500)
        found += shown_worse(arms, rng.binomial(20, rates, 500) / 20, 0.1, 0.05)
        worse += shown_worse(arms, rng.binomial(20, np.where(arms, 0.3, rates)) / 20, 0.1, 0.05)
    assert found <= 5
    assert worse >= 95


def test_what_is_slow_is_told_by_the_first_requests_of_the_other_release():
    rng = np.random.default_rng(8)
    canary, seconds = rng.random(1000) < 0.2, rng.random(1000)
    found = beyond_usual(canary, seconds)
    others = [place for place in range(1000) if not canary[place]][:FIRST]
    bound = np.quantile(seconds[others], 0.9)
    assert len(found.bad) == 1000 - others[-1] - 1
    assert found.bad.tolist() == [value > bound for value in seconds[others[-1] + 1 :].tolist()]
    assert len(beyond_usual(canary[:FIRST], seconds[:FIRST]).bad) == 0


def pairs(count: int, agree: float, shift: float = 0.0, failing: float = 0.0, seed: int = 0) -> Pairs:
    rng = np.random.default_rng(seed)
    change = rng.normal(shift, 0.02, count).clip(-1, 1)
    failed = (rng.random(count) < failing).astype(np.int8)
    return Pairs(rng.random(count) < agree, {"p:a": change, "p:b": -change}, failed, np.zeros(0, np.int8))


def gate(metric: str, **bound: float) -> GateRecipe:
    return GateRecipe(metric=metric, **bound)


def test_a_shadow_passes_fails_or_waits_by_what_it_says_of_the_same_inputs():
    agrees, shifts = gate("agreement", at_least=0.9), gate("shift", at_most=0.1)
    assert judge_shadow([agrees], pairs(0, 1.0)).outcome == "undecided"
    few = judge_shadow([agrees], pairs(100, 0.95))
    assert few.outcome == "undecided"
    assert judge_shadow([agrees], pairs(100 + 3 * few.more, 0.95)).outcome == "passed"
    assert judge_shadow([agrees, shifts], pairs(3000, 0.98)).outcome == "passed"
    worse = judge_shadow([agrees, shifts], pairs(600, 0.6))
    assert (worse.outcome, worse.decided_by[0].partition(":")[0]) == ("failed", "agreement")
    moved = judge_shadow([agrees, shifts], pairs(3000, 0.98, shift=-0.3))
    assert (moved.outcome, moved.decided_by[0].partition(":")[0]) == ("failed", "shift")
    fails = judge_shadow([gate("failures", at_most=0.01)], pairs(2000, 1.0, failing=0.05))
    assert fails.outcome == "failed"


@pytest.mark.parametrize(("count", "share"), [(100, 0.0), (1000, 0.0), (400, 0.07), (400, 0.13)])
def test_so_many_more_as_a_shadow_says_decide_and_nine_tenths_of_them_do_not(count, share):
    """Also of failures that never happen, where far fewer do than by the square root of their number."""
    rule = gate("failures", at_most=0.01) if share == 0 else gate("agreement", at_least=0.9)

    def after(more: float) -> Judgement:
        seen = count + round(more)
        agree = np.arange(seen) >= round(share * seen)
        return judge_shadow([rule], Pairs(agree, {}, np.zeros(seen, np.int8), np.zeros(0, np.int8)))

    more = after(0).more
    assert more is not None
    assert after(more).outcome == ("failed" if share == 0.13 else "passed")
    assert after(0.9 * more).outcome == "undecided"


def test_a_shadow_waits_for_labels_where_a_gate_asks_for_them():
    wants = gate("errors", at_most=0.03)
    base = pairs(2000, 0.95)
    assert judge_shadow([wants], base).figures[0].told().startswith("errors: undecided, no label came yet")
    rng = np.random.default_rng(9)
    errors = rng.choice(np.array([-1, 0, 1], np.int8), 4000, p=[0.02, 0.96, 0.02])
    assert judge_shadow([wants], Pairs(base.agree, {}, base.failed, errors)).outcome == "passed"
    worse = rng.choice(np.array([-1, 0, 1], np.int8), 2000, p=[0.02, 0.83, 0.15])
    assert judge_shadow([wants], Pairs(base.agree, {}, base.failed, worse)).outcome == "failed"


def test_of_equal_shadows_at_the_bound_at_most_5_percent_are_decided_whenever_one_looks():
    found = 0
    for seed in range(200):
        one = pairs(1500, 0.9, seed=seed)
        looks = (Pairs(one.agree[:n], {}, one.failed[:n], one.errors) for n in (50, 100, 200, 400, 800, 1500))
        found += any(judge_shadow([gate("agreement", at_least=0.9)], look).outcome != "undecided" for look in looks)
    assert found <= 10


def test_a_score_that_is_not_known_is_said_to_be_so():
    unknown = Pairs(np.ones(10, np.bool_), {"value": np.full(10, np.nan)}, np.zeros(10, np.int8), np.zeros(0, np.int8))
    (figure,) = judge_shadow([gate("shift", at_most=0.1)], unknown).figures
    assert "what answers gives no interval to measure by" in figure.told()
