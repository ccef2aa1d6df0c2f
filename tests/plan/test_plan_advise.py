"""Advice: what surely pays, nothing where nothing surely does, and no more promised than is true."""

import numpy as np
import pytest
import scipy.stats

from tests.plan.curves import FACTORS, asked, lever
from totalml.errors import EvaluationError
from totalml.plan.advise import advise
from totalml.plan.certainty import LEAST_MEMBERS, interval_of, student
from totalml.plan.lever import grid

MEMBERS = 12
SURE = np.linspace(0.9, 1.1, MEMBERS)


def test_what_surely_pays_is_advised():
    advice, tried = advise(asked(lever("tv", 10 * SURE), lever("radio", 0.1 * SURE)))
    assert advice.kind == "change"
    assert advice.factors == {"tv": 1.5, "radio": 0.5}
    assert advice.promised == pytest.approx(0.5 * 10 - 0.5 + 0.5 - 0.05)
    assert 0 < advice.gain.low < advice.gain.value < advice.gain.high
    assert tried is None


def test_within_the_budget_money_moves_from_one_lever_to_the_other():
    advice, _ = advise(asked(lever("tv", 10 * SURE), lever("radio", 5 * SURE), budget=2.0))
    assert advice.factors == {"tv": 1.5, "radio": 0.5}
    assert advice.cost == pytest.approx(2.0)


def test_nothing_is_changed_where_it_may_as_well_lose():
    advice, tried = advise(asked(lever("tv", np.linspace(-9, 13, MEMBERS))))
    assert (advice.kind, advice.factors, advice.gain.value) == ("nothing", {"tv": 1.0}, 0.0)
    assert tried.factors == {"tv": 1.5}
    assert tried.gain.low < 0 < tried.promised


def test_a_sure_lever_is_moved_though_another_one_may_do_anything():
    advice, tried = advise(asked(lever("tv", 10 * SURE), lever("radio", np.linspace(-90, 110, MEMBERS))))
    assert advice.factors == {"tv": 1.5, "radio": 1.0}
    assert tried.factors == {"tv": 1.5, "radio": 1.5}
    assert tried.gain.low < 0 < advice.gain.low


@pytest.mark.parametrize("members", [1, LEAST_MEMBERS - 1])
def test_without_enough_members_it_says_that_it_does_not_know(members):
    advice, _ = advise(asked(lever("tv", [10.0] * members)))
    assert (advice.kind, advice.gain.value, advice.gain.low) == ("unsure", 4.5, None)


def test_a_smaller_budget_forces_a_choice_even_of_what_loses():
    advice, _ = advise(asked(lever("tv", 10 * SURE), lever("radio", 5 * SURE), budget=1.5))
    assert advice.kind == "forced"
    assert advice.factors == {"tv": 1.0, "radio": 0.5}
    assert advice.gain.high < 0


def test_bounds_narrow_what_may_be_chosen_and_none_is_invented_between_them():
    advice, _ = advise(asked(lever("tv", 10 * SURE), bounds={"tv": (0.8, 1.3)}))
    assert advice.factors == {"tv": 1.25}
    with pytest.raises(EvaluationError, match=r"lever 'tv': between 1.3 and 1.4 .* there are: 0.5, 0.75, 1, 1.25, 1.5"):
        advise(asked(lever("tv", SURE), bounds={"tv": (1.3, 1.4)}))


def test_levers_that_meet_are_judged_together():
    """Each alone brings 4.5; both together no more than one."""
    advice, _ = advise(asked(lever("tv", 10 * SURE), lever("radio", 10 * SURE)), lambda _: 4.5 * SURE)
    assert advice.promised == pytest.approx(4.5)
    assert sum(part.value for part in advice.parts.values()) == pytest.approx(9)


def test_a_plan_of_pure_noise_seldom_claims_a_gain():
    """No lever does anything; at 90 % one plan in ten may seem to pay. By the members' spread alone half of them do."""
    claimed, at_face_value, held = of_noise(levers=5, times=250)
    assert claimed < 0.13
    assert at_face_value > 0.4
    assert held > 0.83


def test_the_interval_reaches_as_far_above_the_promise_as_below_what_is_left_of_it():
    advice, _ = advise(asked(lever("tv", 10 * SURE), lever("radio", SURE)))
    assert 0 < advice.gain.value < advice.promised
    assert advice.gain.high - advice.promised == pytest.approx(advice.gain.value - advice.gain.low)


def test_the_interval_of_the_gain_holds_the_true_one_as_often_as_it_says():
    """Of members that err as much together as apart; around what is left of the promise 86 % do."""
    held, around_the_middle = coverage(held_back=0.0)
    assert held > 0.9 > around_the_middle


def test_a_model_that_a_prior_holds_back_promises_too_little_and_seldom_less_than_its_interval():
    """It has every channel half way to the mean of all; around what is left of the promise half of the truths lie."""
    held, around_the_middle = coverage(held_back=0.5)
    assert held > 0.7
    assert around_the_middle < 0.6


def coverage(held_back: float, times: int = 200) -> tuple[float, float]:
    """How often the true gain lies in the interval, and would in one as wide below and above its middle.

    Of the budget as it is over five levers with roots for curves, whose true effects are drawn around 3.5.
    """
    rng, names = np.random.default_rng(1), [f"l{k}" for k in range(5)]
    found = []
    for _ in range(times):
        true = 3.2 * rng.lognormal(0, 0.5, 5)
        errs = 0.18 * (rng.normal(size=(5, 1)) + rng.normal(size=(5, MEMBERS)))
        members = true[:, None] * (1 + errs) + held_back * (3.5 - true)[:, None]
        given = zip(names, members, strict=True)
        advice, tried = advise(asked(*(lever(*each, cost=1.6, power=0.5) for each in given), budget=8.0))
        best = tried or advice
        if not best.changed:
            continue  # which brings nothing in truth as well
        factors = np.array([best.factors[name] for name in names])
        gain, low = true @ (np.sqrt(factors) - 1) - 1.6 * (factors - 1).sum(), best.gain.low
        found.append((low <= gain <= best.gain.high, low <= gain <= 2 * best.gain.value - low))
    return tuple(np.mean(found, axis=0))


def of_noise(levers: int, times: int) -> tuple[float, float, float]:
    """How often a gain is claimed, would be if the plan were not marked down, and lies in the interval of the plan."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(times):
        # What the data seems to say errs, and what the members say errs around that.
        errs = rng.normal(size=(levers, 1)) + rng.normal(size=(levers, MEMBERS))
        advice, tried = advise(asked(*(lever(f"l{k}", each, cost=0.0) for k, each in enumerate(errs))))
        best = tried or advice
        sums = sum(each * (best.factors[f"l{k}"] - 1) for k, each in enumerate(errs))
        held = best.gain.low <= 0 <= best.gain.high
        found.append((advice.kind == "change", interval_of(sums, 0.9).low > 0, held))
    return tuple(np.mean(found, axis=0))


@pytest.mark.parametrize("members", [4, 5, 8, 30])
@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95])
def test_half_the_width_is_student_s(members, confidence):
    expected = scipy.stats.t.ppf((1 + confidence) / 2, members - 1)
    assert student(confidence, members) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("least", "most"), [(0.5, 1.5), (0.0, 1.0), (1.0, 3.0), (0.98, 2.0), (0.0, 1.01)])
def test_the_grid_reaches_both_ends_and_holds_what_is_now(least, most):
    factors = grid(least, most)
    assert (factors[0], factors[-1], len(factors)) == (least, most, 21)
    assert 1.0 in factors
    assert list(factors) == sorted({*factors})


def test_a_grid_of_half_to_one_and_a_half_goes_by_twentieths():
    assert grid(0.5, 1.5)[:4] == (0.5, 0.55, 0.6, 0.65)
    assert set(FACTORS) < set(grid(0.5, 1.5))
