"""Judge a shadow: a release that scores the same inputs as the one that answers, unseen; so all is compared in pairs.

Every figure holds at all times at once. An undecided gate waits for more requests, and says about how many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from totalml.deployment.deployment import SHADOW_FIGURES
from totalml.deployment.judgement import ALPHA, Figure, Judgement
from totalml.deployment.sequential import difference_bounds, share_bounds
from totalml.evaluation.interval import Interval
from totalml.gates.outcome import outcome, samples_to_decide

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.recipe.gates import GateRecipe

AGREEMENT, SHIFT, FAILURES, ERRORS = SHADOW_FIGURES


@dataclass(frozen=True)
class Pairs:
    """What both said of the same samples, in any order.

    Args:
        agree: (N,) of those that both answered: whether they said the same.
        changes: by score, (N,) within -1..1: the shadow's minus the other's; NaN where it is not known.
        failed: (M,) of all: 1 where only the shadow failed, -1 where only the other did.
        errors: (L,) of those with a label: 1 where the shadow was further off, -1 where the other was.
    """

    agree: NDArray[np.bool_]
    changes: Mapping[str, NDArray[np.float64]]
    failed: NDArray[np.int8]
    errors: NDArray[np.int8]


def judge_shadow(gates: Sequence[GateRecipe], pairs: Pairs, alpha: float = ALPHA) -> Judgement:
    """Args: gates: of `SHADOW_FIGURES`, against numbers."""
    figures = [_judged(gate, pairs, alpha / len(gates)) for gate in gates]
    return Judgement.of(figures, len(pairs.failed))


def _judged(gate: GateRecipe, pairs: Pairs, alpha: float) -> Figure:
    found, count = _figure(gate.metric, pairs, alpha)
    wanted = f"{gate.rule} {gate.bound:g}"
    if found.value is None:
        return Figure(gate.metric, "undecided", found, wanted, count)
    low, high = gate.good
    decided = outcome(found, low, high)
    more = None
    if decided == "undecided" and (all_in_all := samples_to_decide(found, low, high, count)) is not None:
        more = max(all_in_all - count, 1)
    return Figure(gate.metric, decided, found, wanted, count, more)


def _figure(name: str, pairs: Pairs, alpha: float) -> tuple[Interval, int]:
    """And of how many samples."""
    if name == AGREEMENT:
        count = len(pairs.agree)
        if not count:
            return Interval(None), 0
        same = int(pairs.agree.sum())
        return Interval(same / count, *share_bounds(same, count, alpha)), count
    if name == SHIFT:
        return _shift(pairs.changes, alpha)
    differences = pairs.failed if name == FAILURES else pairs.errors
    if not len(differences):
        return Interval(None, note="no label came yet" if name == ERRORS else None), 0
    return _mean(differences, alpha), len(differences)


def _shift(changes: Mapping[str, NDArray[np.float64]], alpha: float) -> tuple[Interval, int]:
    """How far the score that moved most did on average, on whichever side."""
    import numpy as np

    known = {name: values[~np.isnan(values)] for name, values in changes.items()}
    means = [(_mean(values, alpha / len(known)), len(values)) for values in known.values() if len(values)]
    if not means:
        note = "what answers gives no interval to measure by" if any(map(len, changes.values())) else None
        return Interval(None, note=note), 0
    sizes = [(_size(mean), count) for mean, count in means]
    top, count = max(sizes, key=lambda each: each[0].value or 0.0)
    return Interval(top.value, top.low, max(size.high or 0.0 for size, _ in sizes)), count


def _mean(differences: NDArray[np.generic], alpha: float) -> Interval:
    ups, downs, count = float(differences.clip(0).sum()), float(-differences.clip(None, 0).sum()), len(differences)
    return Interval((ups - downs) / count, *difference_bounds(ups, downs, count, alpha))


def _size(mean: Interval) -> Interval:
    """Of a figure without its sign."""
    value, low, high = mean.value or 0.0, mean.low or 0.0, mean.high or 0.0
    return Interval(abs(value), max(low, -high, 0.0), max(-low, high))
