"""Bets that losses within 0..1 are larger in the mean than a bound: fair if they are not, whatever else they are.

Source: Waudby-Smith and Ramdas 2024, Estimating means of bounded random variables by betting; each stake is the one
that is best against a share of hits so much likelier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

ODDS = (1.5, 2.5, 5.0)  # times those of the bound, that are looked for
MOST_STAKE = 0.9  # of what one has; the rest outlives any row


def loss_bets(losses: Numbers, weights: Numbers, bound: float, most_weight: float) -> Numbers:
    """(N, len(ODDS)) by which each loss multiplies what was bet on it; ones if the bound is 1.

    Args:
        losses: (N,) within 0..1.
        weights: (N,) within 0..most_weight, independent of the loss but for what they make good, one in the mean.
    """
    if bound >= 1:
        return np.ones((len(losses), len(ODDS)))
    odds = bound / (1 - bound) * np.array(ODDS)
    stakes = (odds / (1 + odds) - bound) / (bound * (1 - bound))
    stakes = np.minimum(stakes, MOST_STAKE / (bound * most_weight))
    bets: Numbers = 1 + (weights * (losses - bound))[:, None] * stakes
    return bets
