"""Judge a shadow: a release that scores the same inputs as the one that answers, unseen; so all is compared in pairs.

Every figure holds at all times at once. An undecided gate waits for more requests, and says about how many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from totalml.deployment.deployment import SHADOW_FIGURES
from totalml.deployment.judgement import ALPHA, Figure, Judgement
from totalml.deployment.sequential import difference_bounds, more_until, share_bounds
from totalml.evaluation.interval import Interval
from totalml.gates.outcome import outcome

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.recipe.gates import GateRecipe

AGREEMENT, SHIFT, FAILURES, ERRORS = SHADOW_FIGURES


@dataclass(frozen=True)
class Pairs:
    """What both said of the same requests, in any order; of several samples in one their mean.

    Args:
        agree: of those that both answered, as far as it can be told: 1 where they said the same, or else 0.
        changes: by score, (N,) within -1..1: the shadow's minus the other's; NaN where it is not known.
        failed: (M,) of all: 1 where only the shadow failed, -1 where only the other did.
        errors: (L,) of those with a label: 1 where the shadow was further off, -1 where the other was.
    """

    agree: NDArray[np.float64]
    changes: Mapping[str, NDArray[np.float64]]
    failed: NDArray[np.float64]
    errors: NDArray[np.float64]


def judge_shadow(gates: Sequence[GateRecipe], pairs: Pairs, alpha: float = ALPHA) -> Judgement:
    """Args: gates: of `SHADOW_FIGURES`, against numbers."""
    figures = [_judged(gate, pairs, alpha / len(gates)) for gate in gates]
    return Judgement.of(figures, len(pairs.failed))


class _Sums(NamedTuple):
    """Of `seen` numbers within -1..1: what was above 0, and what below it as a positive number."""

    ups: float
    downs: float
    seen: int

    @classmethod
    def of(cls, values: NDArray[np.generic]) -> _Sums:
        return cls(float(values.clip(0).sum()), float(-values.clip(None, 0).sum()), len(values))


def _judged(gate: GateRecipe, pairs: Pairs, alpha: float) -> Figure:
    name, sums, wanted = gate.metric, _sums(gate.metric, pairs), f"{gate.rule} {gate.bound:g}"
    low, high = gate.good
    if not any(each.seen for each in sums):
        return Figure(name, "undecided", Interval(None, note=_why_not_known(name, pairs)), wanted, 0)
    found, count = _figure(name, sums, alpha)
    decided, more = outcome(found, low, high), None
    if decided == "undecided":
        more = more_until(lambda times: outcome(_figure(name, sums, alpha, times)[0], low, high) != "undecided", count)
    return Figure(name, decided, found, wanted, count, more)


def _sums(name: str, pairs: Pairs) -> list[_Sums]:
    """One; of the shift one for each score, some of which may not be known."""
    import numpy as np

    if name == SHIFT:
        return [_Sums.of(values[~np.isnan(values)]) for values in pairs.changes.values()]
    if name == AGREEMENT:
        return [_Sums.of(pairs.agree.astype(np.float64))]
    return [_Sums.of(pairs.failed if name == FAILURES else pairs.errors)]


def _why_not_known(name: str, pairs: Pairs) -> str | None:
    if name == ERRORS:
        return "no label came yet"
    if name in (AGREEMENT, SHIFT) and any(map(len, pairs.changes.values())):
        return "what answers gives no interval to measure by"
    return None


def _figure(name: str, sums: Sequence[_Sums], alpha: float, times: float = 1) -> tuple[Interval, int]:
    """And of how many samples. Args: times: as if there had been so many times as many."""
    known = [each for each in sums if each.seen]
    means = [(_mean(name, each, alpha / len(sums), times), each.seen) for each in known]
    if name != SHIFT:
        return means[0]
    sizes = [(_size(mean), count) for mean, count in means]
    top, count = max(sizes, key=lambda each: each[0].value or 0.0)  # how far it moved, on whichever side
    return Interval(top.value, top.low, max(size.high or 0.0 for size, _ in sizes)), count


def _mean(name: str, sums: _Sums, alpha: float, times: float) -> Interval:
    ups, downs, count = (times * each for each in sums)
    bounds = share_bounds(ups, count, alpha) if name == AGREEMENT else difference_bounds(ups, downs, count, alpha)
    return Interval((ups - downs) / count, *bounds)


def _size(mean: Interval) -> Interval:
    """Of a figure without its sign."""
    value, low, high = mean.value or 0.0, mean.low or 0.0, mean.high or 0.0
    return Interval(abs(value), max(low, -high, 0.0), max(-low, high))
