"""The best plan on the grid, held against every plan that there is."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from totalml.errors import EvaluationError
from totalml.plan.allocate import allocate

LEVERS = 3
AMOUNT = st.floats(-100, 100).map(lambda amount: round(amount, 2))
CURVES = st.integers(2, 5).flatmap(lambda size: arrays(float, (LEVERS, size), elements=AMOUNT))
COST = st.floats(0.1, 50)


def every(gains, costs, budget):
    """Gain and cost of all plans within the budget."""
    places = product(*(range(len(each)) for each in gains))
    plans = [(sum(g[k] for g, k in zip(gains, at, strict=True)), cost_of(costs, at)) for at in places]
    return [(gain, cost) for gain, cost in plans if budget is None or cost <= budget * (1 + 1e-9)]


def cost_of(costs, at):
    return float(sum(cost[k] for cost, k in zip(costs, at, strict=True)))


@settings(max_examples=300, deadline=None)
@given(CURVES, st.lists(COST, min_size=LEVERS, max_size=LEVERS), st.one_of(st.none(), st.floats(0.5, 1.5)))
def test_no_plan_within_the_budget_gains_more(gains, spends, share):
    costs = [spend * np.linspace(0.5, 1.5, gains.shape[1]) for spend in spends]
    budget = None if share is None else share * sum(spends)
    plans = every(gains, costs, budget)
    chosen = allocate(list(gains), costs, budget)
    gain, cost = sum(each[k] for each, k in zip(gains, chosen, strict=True)), cost_of(costs, chosen)
    assert gain == pytest.approx(max(gain for gain, _ in plans), abs=1e-9)
    assert budget is None or cost <= budget * (1 + 1e-9)


def test_of_equals_the_cheapest_is_taken():
    flat, costs = np.zeros(3), np.array([1.0, 2.0, 3.0])
    assert allocate([flat, flat], [costs, costs], None) == [0, 0]
    assert allocate([flat, flat], [costs, costs], 6.0) == [0, 0]


def test_a_curve_that_first_falls_is_climbed_all_the_way():
    """What goes uphill step by step stays at the foot of such a curve."""
    s_shaped, costs = np.array([0.0, -1.0, -1.0, 8.0]), np.array([0.0, 1.0, 2.0, 3.0])
    steady = np.array([0.0, 1.0, 2.0, 3.0])
    assert allocate([s_shaped, steady], [costs, costs], 3.0) == [3, 0]


def test_what_was_spent_is_within_the_budget_however_the_sum_is_rounded():
    costs = [np.array([0.1, 0.2]), np.array([0.1, 0.2]), np.array([0.1, 0.2])]
    assert allocate([np.array([0.0, 1.0])] * 3, costs, 0.6) == [1, 1, 1]


def test_less_than_the_least_is_told():
    with pytest.raises(EvaluationError, match=r"the least .* costs 2.00, and the budget is 1.50"):
        allocate([np.zeros(2)] * 2, [np.array([1.0, 2.0])] * 2, 1.5)


def test_ten_levers_of_a_grid_of_21_are_no_matter():
    """Every plan would be 21 ** 10; of those that no other beats few are left at each step."""
    rng = np.random.default_rng(1)
    grid = np.linspace(0.5, 1.5, 21)
    spends = rng.uniform(1, 9, 10)
    gains = [effect * np.sqrt(grid) for effect in rng.uniform(1, 30, 10)]
    costs = [spend * grid for spend in spends]
    chosen = allocate(gains, costs, float(spends.sum()))
    # Of concave curves, what a price on every unit of cost would choose bounds all plans from above.
    bound = min(
        price * spends.sum() + sum(float((gain - price * cost).max()) for gain, cost in zip(gains, costs, strict=True))
        for price in np.linspace(0, 10, 2001)
    )
    found = sum(float(gain[k]) for gain, k in zip(gains, chosen, strict=True))
    assert bound - found < 0.001 * bound
