"""What to do with the levers, and how sure it is that this is better than to do nothing.

A plan that is chosen because it looks best looks better than it is. So each member of the model is taken for what was
believed, in turn, and the others for the truth: how much less its best plan brings than it promised is what the plan
of all of them is marked down by, and widens its interval. That a half of the members chooses and the other half judges
would not do: both halves learnt from the same data, and err alike.

Upwards the interval is that of what was promised: a model that a prior holds back promises too little as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from totalml.errors import EvaluationError
from totalml.evaluation.arrays import Floats
from totalml.evaluation.interval import Interval
from totalml.plan.allocate import ROUNDING, allocate
from totalml.plan.certainty import LEAST_MEMBERS, interval_of, others, student
from totalml.plan.lever import Lever, spent

Kind = Literal["change", "nothing", "unsure", "forced"]
Bounds = Mapping[str, tuple[float, float]]
Joint = Callable[[Mapping[str, float]], Floats]


@dataclass(frozen=True)
class Advice:
    """Args:
    kind: `change`: it surely earns more than to change nothing; `nothing`: no change surely does; `unsure`: the model
        does not say how sure it is; `forced`: to change nothing is not among what is allowed.
    factors: lever -> times what was used.
    gain: what it earns more than to change nothing, less what it costs more, all levers at once; marked down, as it
        was chosen among many, and its interval from below that to above what was promised.
    promised: the same before it was marked down: the mean of the members.
    parts: lever -> what it alone brings, not marked down.
    cost: of all levers.
    budget: what they might have cost; None: anything.
    """

    kind: Kind
    factors: dict[str, float]
    gain: Interval
    promised: float
    parts: dict[str, Interval]
    cost: float
    budget: float | None

    @property
    def changed(self) -> list[str]:
        return [name for name, factor in self.factors.items() if factor != 1]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        parts = {name: Interval(**part) for name, part in values["parts"].items()}
        return cls(**{**values, "gain": Interval(**values["gain"]), "parts": parts})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Asked:
    """What a plan is made from.

    Args:
        value: of one unit of the target.
        budget: None: free.
        bounds: lever -> between which of its factors; all of them where it is not named.
    """

    levers: Sequence[Lever]
    value: float
    budget: float | None
    confidence: float
    bounds: Bounds

    @property
    def members(self) -> int:
        return len(self.levers[0].outcomes[0])

    def allowed(self, lever: Lever) -> list[int]:
        """Places of its grid.

        Raises: EvaluationError: the bounds hold none.
        """
        low, high = self.bounds.get(lever.name, (lever.factors[0], lever.factors[-1]))
        within = [place for place, factor in enumerate(lever.factors) if low <= factor <= high]
        if not within:
            known = ", ".join(f"{factor:g}" for factor in lever.factors)
            raise EvaluationError(
                f"lever {lever.name!r}: between {low:g} and {high:g} is no factor of which it is known what would come "
                f"of it; there are: {known}."
            )
        return within

    def only(self, names: Iterable[str]) -> Asked:
        """All other levers stay as they are."""
        kept = {lever.name for lever in self.levers} - set(names)
        return replace(self, bounds={**self.bounds, **dict.fromkeys(kept, (1.0, 1.0))})

    @property
    def allows_nothing(self) -> bool:
        """Whether all may stay as it is."""
        affordable = self.budget is None or spent(self.levers, {}) <= self.budget * (1 + ROUNDING)
        return affordable and all(lever.now in self.allowed(lever) for lever in self.levers)

    def added(self, factors: Mapping[str, float]) -> Floats:
        """(K,) the gain as the sum of what each lever brings alone."""
        gains = [lever.gains(self.value)[lever.factors.index(factors[lever.name])] for lever in self.levers]
        return np.sum(gains, axis=0)


def advise(asked: Asked, joint: Joint | None = None) -> tuple[Advice, Advice | None]:
    """The advice, and the plan that it would be if it were surer, where it is another one.

    Args:
        joint: (K,) what a whole plan earns more than to change nothing, by the members; None: the sum over the levers.
    Raises: EvaluationError: the budget is less than the least.
    """
    best = _best(asked, joint or asked.added)
    if not asked.allows_nothing:
        return replace(best, kind="forced"), None
    if asked.members < LEAST_MEMBERS:
        return replace(best, kind="unsure"), None
    if (best.gain.low or 0.0) > 0:
        return best, None
    # A second look: each of the levers has to be so sure that this adds no more than a quarter of the error.
    surer = replace(asked, confidence=1 - (1 - asked.confidence) / (4 * len(asked.levers)))
    sure = [name for name, part in _parts(surer, best.factors).items() if (part.low or 0.0) > 0]
    if sure and sure != best.changed:
        fewer = _best(asked.only(sure), joint or asked.added)
        if (fewer.gain.low or 0.0) > 0:
            return fewer, best
    return _nothing(asked), best if best.changed else None


def choose(asked: Asked, believed: Callable[[Floats], Floats]) -> dict[str, float]:
    """The factors that earn most.

    Args: believed: (G, K) gains of a lever by member -> (G,) what is believed of them.
    """
    allowed = [asked.allowed(lever) for lever in asked.levers]
    gains = [believed(lever.gains(asked.value))[places] for lever, places in zip(asked.levers, allowed, strict=True)]
    costs = [lever.costs[places] for lever, places in zip(asked.levers, allowed, strict=True)]
    chosen = allocate(gains, costs, asked.budget)
    taken = zip(asked.levers, allowed, chosen, strict=True)
    return {lever.name: lever.factors[places[place]] for lever, places, place in taken}


def mean_of(gains: Floats) -> Floats:
    return gains.mean(axis=1)


def _best(asked: Asked, joint: Joint) -> Advice:
    factors = choose(asked, mean_of)
    by_member = joint(factors)
    promised = float(by_member.mean())
    return Advice(
        kind="change" if any(factor != 1 for factor in factors.values()) else "nothing",
        factors=factors,
        gain=_marked_down(asked, by_member),
        promised=promised,
        parts=_parts(asked, factors),
        cost=spent(asked.levers, factors),
        budget=asked.budget,
    )


def _marked_down(asked: Asked, by_member: Floats) -> Interval:
    """Source: the bootstrap of a choice among many, as in Efron 1983 for the error of a rule that was fitted."""
    promised, members = float(by_member.mean()), len(by_member)
    if members < LEAST_MEMBERS:
        return Interval(promised)
    less = np.zeros(members)
    for member in range(members):
        gains = asked.added(choose(asked, lambda each, member=member: each[:, member]))  # type: ignore[misc]
        less[member] = gains[member] - others(gains)[member]
    spread = max(float(less.std(ddof=1)), float(by_member.std(ddof=1)))
    # Members err around what errs itself: where nothing has an effect, theirs brings 1 / sqrt(2) of that less.
    middle = promised - float(np.sqrt(2) * less.mean())
    far = student(asked.confidence, members) * spread
    # How much of the promise is the choice and how much is true is not known, so both ends are kept. It is no less than
    # the middle: for its own best plan a member promises no less than for those of others.
    return Interval(middle, middle - far, promised + far)


def _parts(asked: Asked, factors: Mapping[str, float]) -> dict[str, Interval]:
    return {
        lever.name: interval_of(lever.gain_at(factors[lever.name], asked.value), asked.confidence)
        for lever in asked.levers
    }


def _nothing(asked: Asked) -> Advice:
    none = Interval(0.0)
    names = [lever.name for lever in asked.levers]
    factors, parts = dict.fromkeys(names, 1.0), dict.fromkeys(names, none)
    return Advice("nothing", factors, none, 0.0, parts, spent(asked.levers, factors), asked.budget)
