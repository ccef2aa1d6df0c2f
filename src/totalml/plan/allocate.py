"""Which factor of each lever earns most within a budget: exactly, whatever the shape of their curves."""

from collections.abc import Sequence

import numpy as np

from totalml.errors import EvaluationError
from totalml.evaluation.arrays import Floats

ROUNDING = 1e-9  # share of a budget that sums of costs may be off by


def allocate(gains: Sequence[Floats], costs: Sequence[Floats], budget: float | None) -> list[int]:
    """The place in its grid that each lever takes, so that gains sum up to most; the cheapest of equals.

    Lever by lever, only those partial plans are kept that no other one beats by gaining at least as much for less:
    whatever completes the beaten one completes the other. So nothing that is best is ever lost, and no cost is rounded.

    Args:
        gains: of each lever (G,) at each factor; they need not be concave.
        costs: of each lever (G,).
        budget: that the costs' sum may not pass; None: it is free.
    Raises: EvaluationError: even the cheapest factors cost more.
    Source: Nemhauser and Ullmann 1969, for levers of which exactly one factor each is taken.
    """
    cheapest = [float(cost.min()) for cost in costs]
    if budget is None:
        return [int(np.lexsort((cost, -gain))[0]) for gain, cost in zip(gains, costs, strict=True)]
    limit, rest = budget + ROUNDING * abs(budget), sum(cheapest)
    if rest > limit:
        raise EvaluationError(
            f"the least that the levers may be used costs {rest:,.2f}, and the budget is {budget:,.2f}; "
            "raise the budget, or let the levers' least be less."
        )
    choices, spent, gained = np.zeros((1, 0), np.int64), np.zeros(1), np.zeros(1)
    for gain, cost, least in zip(gains, costs, cheapest, strict=True):
        rest -= least
        spent, gained = ((old[:, None] + new).ravel() for old, new in ((spent, cost), (gained, gain)))
        affordable = np.flatnonzero(spent + rest <= limit)
        order = affordable[np.lexsort((-gained[affordable], spent[affordable]))]
        before = np.concatenate([[-np.inf], np.maximum.accumulate(gained[order])[:-1]])
        kept = order[gained[order] > before]
        choices = np.column_stack([choices[kept // len(gain)], kept % len(gain)])
        spent, gained = spent[kept], gained[kept]
    best: list[int] = choices[-1].tolist()  # what costs more than another one gains more
    return best
