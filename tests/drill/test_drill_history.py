"""Histories have the volumes, the mixtures, the labels and the truth that their scenario states."""

import numpy as np
import pytest

from tests.drill.drawn import SAMPLES, recipe
from totalml.drill import History, Pools, draw_history
from totalml.drill.history import FIRST_DAY_US, NEVER, check_pools, share_by_day, volumes
from totalml.errors import DataError
from totalml.recipe import LateLabels

DAY_US = 86_400_000_000


def histories(pools: Pools, scenario: str | None, count: int = 40, **changes: object) -> list[History]:
    return [draw_history(pools, recipe(**changes), scenario, seed=3, number=number) for number in range(count)]


def rows(pools: Pools, history: History) -> np.ndarray:
    """Found again by a number that no two samples share."""
    return np.searchsorted(
        np.sort(pools.observations.numbers["property:noise"]), history.observations.numbers["property:noise"]
    )


def moved(history: History) -> np.ndarray:
    return history.observations.scores["answer:p"] < 0.575  # between 0.45 and 0.7, 1.25 deviations from both


def test_the_same_history_is_drawn_again(pools):
    one, again, other = (draw_history(pools, recipe(), "slow", 3, number) for number in (7, 7, 8))
    assert np.array_equal(one.observations.times, again.observations.times)
    assert np.array_equal(one.wrong, again.wrong)
    assert np.array_equal(one.reference.scores["answer:p"], again.reference.scores["answer:p"])
    assert not np.array_equal(one.reference.scores["answer:p"], other.reference.scores["answer:p"])


def test_no_sample_comes_twice_in_a_history_or_its_reference(pools):
    for scenario in (None, *recipe().scenarios):
        history = draw_history(pools, recipe(), scenario, 3, 0)
        parts = [history.observations, history.reference, *([history.expected] if history.expected else [])]
        seen = np.concatenate([each.numbers["property:noise"] for each in parts])
        assert len(np.unique(seen)) == len(seen)


def test_volumes_follow_the_weekdays_and_the_scenario(pools):
    weekdays = (0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0)
    many = histories(pools, "feast", 200, weekdays=weekdays, per_day=20.0)
    counts = np.mean([np.bincount(each.day, minlength=56) for each in many], axis=0)
    expected = np.array([20.0 * weekdays[day % 7] * (2 if 28 <= day < 35 else 1) for day in range(56)])
    assert np.array_equal(volumes(recipe(weekdays=weekdays, per_day=20.0), recipe().scenarios["feast"]), expected)
    assert np.all(np.abs(counts - expected) <= 5 * np.sqrt(expected / 200))  # five deviations of a Poisson mean
    assert counts[0] == 0


def test_the_mixture_grows_as_stated_and_ends(pools):
    shares = share_by_day(recipe(), recipe().scenarios["slow"])
    assert shares[:28].max() == 0
    assert shares[28:38] == pytest.approx(0.5 * np.arange(1, 11) / 10)
    assert shares[38:42] == pytest.approx(0.5)
    assert shares[42:].max() == 0
    many = histories(pools, "slow", 100)
    day, low = np.concatenate([each.day for each in many]), np.concatenate([moved(each) for each in many])
    below, above = 0.105650, 0.894350  # the normal distribution at 1.25 deviations
    for at in (0, 27, 28, 33, 40, 50):
        here = low[day == at]
        expected = shares[at] * above + (1 - shares[at]) * below
        assert here.mean() == pytest.approx(expected, abs=5 * np.sqrt(0.25 / len(here)))


def test_samples_keep_their_time_of_day_and_come_in_order(pools):
    history = draw_history(pools, recipe(), None, 3, 0)
    assert np.all(np.diff(history.observations.times) >= 0)
    assert np.array_equal((history.observations.times - FIRST_DAY_US) // DAY_US, history.day)
    place = np.argsort(pools.observations.numbers["property:noise"])[rows(pools, history)]
    assert np.array_equal(history.observations.times % DAY_US, pools.observations.times[place] % DAY_US)
    assert np.array_equal(history.wrong, pools.wrong[place])
    assert np.array_equal(history.observations.units, pools.observations.units[place])


def test_truths_are_told_late_and_of_a_share(pools):
    many = histories(pools, None, 40, labels=LateLabels(share=0.3, delay_days=5))
    told = np.concatenate([each.known_on != NEVER for each in many])
    assert told.mean() == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / len(told)))
    for each in many:
        known = each.known_on != NEVER
        assert np.array_equal(each.known_on[known], each.day[known] + 5)


def test_a_pure_concept_shows_in_errors_alone(pools):
    many = histories(pools, "habit")
    after = np.concatenate([each.day >= each.began for each in many])
    wrong = np.concatenate([each.wrong for each in many])
    score = np.concatenate([each.observations.scores["answer:p"] for each in many])
    assert wrong[after].mean() == pytest.approx(0.5, abs=0.03)
    assert wrong[~after].mean() == pytest.approx(0.05, abs=0.01)
    assert score[after].mean() == pytest.approx(score[~after].mean(), abs=0.01)


def test_a_season_is_told_with_samples_of_the_last_one(pools):
    feast, calm = draw_history(pools, recipe(), "feast", 3, 0), draw_history(pools, recipe(), None, 3, 0)
    assert feast.season == (28, 35)
    assert feast.expected is not None
    assert feast.expected.scores["answer:p"].mean() == pytest.approx(0.45, abs=0.03)
    assert calm.season is calm.expected is None


def test_small_populations_are_named_all_at_once():
    with pytest.raises(DataError) as error:
        check_pools({"base": 1000, "moved": 50, "wrong": SAMPLES}, recipe())
    assert "'base' has 1000" in str(error.value)
    assert "'moved' has 50" in str(error.value)
    assert "'wrong'" not in str(error.value)
    check_pools(dict.fromkeys(("base", "moved", "wrong"), SAMPLES), recipe())
