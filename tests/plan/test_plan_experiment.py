"""The next experiment: what is worth knowing, and how long it takes to know it."""

from itertools import product

import numpy as np
import pytest

from tests.plan.curves import FACTORS, asked, lever
from totalml.plan.experiment import Residuals, echo_of, halves, next_experiment, periods_for, worth_of_knowing
from totalml.plan.lever import spent

MEMBERS = 8
SURE, DOUBTFUL = np.full(MEMBERS, 10.0), np.linspace(-8, 12, MEMBERS)
REGIONS = tuple(f"region-{k}" for k in range(10))


def noise(echo: float, regions: int, weeks: int, seed: int = 0) -> np.ndarray:
    """(regions, weeks) of deviation 1, each the echo of the one before."""
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(regions, weeks))
    for week in range(1, weeks):
        found[:, week] = echo * found[:, week - 1] + np.sqrt(1 - echo**2) * found[:, week]
    return found


def residuals(echo: float = 0.0, weeks: int = 60, names: tuple[str, ...] = REGIONS) -> Residuals:
    times = np.tile(np.arange(weeks), len(names)) * 7 * 86_400 * 1_000_000
    off = 2.0 * noise(echo, len(names), weeks)
    return Residuals(names, np.repeat(np.arange(len(names)), weeks), times, off.ravel())


def test_the_lever_of_which_least_is_known_is_tried():
    found = next_experiment(asked(lever("tv", SURE), lever("radio", DOUBTFUL)), 100, residuals())
    assert found.lever == "radio"
    assert found.worth["tv"] == pytest.approx(0)
    assert found.error == pytest.approx(0.5 * DOUBTFUL.std(ddof=1) / 100)


def test_the_worth_of_knowing_is_what_trying_every_plan_gives():
    question = asked(lever("tv", 3 + 0.3 * DOUBTFUL, cost=2.0), lever("radio", DOUBTFUL, power=0.5), budget=3.0)
    tv, radio = question.levers
    plans = [at for at in product(range(5), repeat=2) if spent(question.levers, named(at)) <= 3.0 + 1e-9]

    def best(mine: np.ndarray, other: np.ndarray) -> float:
        return max(mine[at[1]] + other[at[0]] for at in plans)

    other, mine = tv.gains(1.0).mean(axis=1), radio.gains(1.0)
    knowing = np.mean([best(mine[:, member], other) for member in range(MEMBERS)])
    assert worth_of_knowing(question, radio) == pytest.approx(knowing - best(mine.mean(axis=1), other))
    assert worth_of_knowing(question, radio) > 0


def named(at: tuple[int, int]) -> dict[str, float]:
    return {"tv": FACTORS[at[0]], "radio": FACTORS[at[1]]}


@pytest.mark.parametrize("echo", [0.0, 0.5])
def test_after_so_many_periods_the_error_is_half_of_what_it_was(echo):
    """Held against experiments that are carried out: half of 20 series changed, and the difference of the means."""
    error = 0.1
    periods = periods_for(error, 1.0, echo, 10, 10)
    found = []
    for seed in range(400):
        drawn = noise(echo, 20, periods, seed)
        found.append(drawn[:10].mean() - drawn[10:].mean())
    own = np.std(found)
    together = 1 / np.sqrt(1 / error**2 + 1 / own**2)
    assert together == pytest.approx(error / 2, rel=0.08)


def test_an_echo_is_found():
    assert echo_of(residuals(0.6, weeks=400)) == pytest.approx(0.6, abs=0.05)
    assert echo_of(residuals(0.0, weeks=400)) == pytest.approx(0.0, abs=0.05)


def test_half_of_the_series_are_changed_and_another_lever_changes_others():
    changed, unchanged = halves(REGIONS, "tv")
    assert len(changed) == len(unchanged) == 5
    assert sorted(changed + unchanged) == sorted(REGIONS)
    assert halves(REGIONS[::-1], "tv") == (changed, unchanged)
    assert halves(REGIONS, "radio") != (changed, unchanged)


def test_the_design_says_where_how_long_and_what_it_costs():
    question = asked(lever("radio", DOUBTFUL))
    found = next_experiment(question, 100, residuals())
    design = found.design
    assert design.period_s == 7 * 86_400
    assert found.factor in (0.5, 1.5)
    loss = -question.levers[0].gains(1.0)[FACTORS.index(found.factor)].mean() / 100
    assert design.costs == pytest.approx(loss * 5 * design.periods)


@pytest.mark.parametrize("given", [None, residuals(names=REGIONS[:3]), residuals(weeks=1)])
def test_without_series_to_share_out_it_says_which_lever_and_no_design(given):
    found = next_experiment(asked(lever("radio", DOUBTFUL)), 100, given)
    assert (found.lever, found.design) == ("radio", None)


def test_what_is_known_needs_no_experiment():
    assert next_experiment(asked(lever("tv", SURE)), 100, residuals()) is None
    assert next_experiment(asked(lever("tv", [3.0])), 100, residuals()) is None
