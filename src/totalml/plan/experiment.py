"""The experiment that would tell most: which lever to move, where, how far and how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any, Self

import numpy as np

from totalml.evaluation.arrays import Floats, Ints
from totalml.identity import digest
from totalml.plan.advise import Asked, choose
from totalml.plan.certainty import LEAST_MEMBERS
from totalml.plan.lever import Lever

LEAST_SERIES = 4  # two that are changed and two that are not


@dataclass(frozen=True)
class Design:
    """Args:
    changed, unchanged: the series whose lever is set to the factor, and those that are left as they are.
    periods: for how many, so that the error is half of what it is now.
    period_s: seconds from one to the next.
    costs: what is earned less meanwhile, by the mean of the members; below 0: more.
    """

    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    periods: int
    period_s: float
    costs: float


@dataclass(frozen=True)
class Experiment:
    """Args:
    worth: by lever, how much more the best plan would earn if it were known what that lever brings.
    lever: the one that is worth most.
    factor: at which the members disagree most.
    error: deviation of the members in what the factor changes, per sample, in the unit of the target.
    design: None where no series are known to share out.
    """

    worth: dict[str, float]
    lever: str
    factor: float
    error: float
    design: Design | None

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        design = values["design"] and {
            key: tuple(value) if isinstance(value, list) else value for key, value in values["design"].items()
        }
        return cls(**{**values, "design": design and Design(**design)})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Residuals:
    """What the model is off by, sample by sample; they tell how much an experiment can see.

    Args:
        series: (N,) of which each sample is; their names in `names`.
        times: (N,) microseconds.
        off: (N,) true minus predicted, in the unit of the target.
    """

    names: tuple[str, ...]
    series: Ints
    times: Ints
    off: Floats


def next_experiment(asked: Asked, rows: int, residuals: Residuals | None) -> Experiment | None:
    """None where the model does not say how sure it is, or all members agree.

    Args:
        rows: planned samples.
        residuals: of the test split; None where samples belong to no series.
    """
    if asked.members < LEAST_MEMBERS:
        return None
    worth = {lever.name: worth_of_knowing(asked, lever) for lever in asked.levers}
    name = max(worth, key=worth.__getitem__)
    if worth[name] <= 0:
        return None
    lever = next(each for each in asked.levers if each.name == name)
    ends = (0, len(lever.factors) - 1)
    far = max(ends, key=lambda end: float(lever.change[end].std(ddof=1)))
    error = float(lever.change[far].std(ddof=1)) / rows
    design = _design(asked, lever, far, rows, residuals) if residuals else None
    return Experiment(worth, name, lever.factors[far], error, design)


def worth_of_knowing(asked: Asked, lever: Lever) -> float:
    """How much more a plan would earn on average if it were made knowing what this lever brings, but not the others.

    The mean over the members of the best gain if the lever's curve were that member's, less the best gain by the mean
    of all: the expected value of partial perfect information.

    Source: Raiffa and Schlaifer 1961, section 4.5; Strong, Oakley and Brennan 2014.
    """
    by_mean = [each.gains(asked.value).mean(axis=1) for each in asked.levers]
    place = [each.name for each in asked.levers].index(lever.name)
    mine = lever.gains(asked.value)

    def best(gains: Sequence[Floats]) -> float:
        allowed = iter(gains)
        factors = choose(asked, lambda _: next(allowed))
        return sum(
            float(gain[each.factors.index(factors[each.name])]) for each, gain in zip(asked.levers, gains, strict=True)
        )

    known = [best([*by_mean[:place], mine[:, member], *by_mean[place + 1 :]]) for member in range(mine.shape[1])]
    return max(0.0, float(np.mean(known)) - best(by_mean))


def periods_for(error: float, deviation: float, echo: float, changed: int, unchanged: int) -> int:
    """For how many periods some series are to be changed beside others, so that the error of the effect halves.

    What an experiment finds is joined to what is known by the sum of their precisions, 1 / error². For that to be four
    times what it is, the experiment's own error must be error / sqrt(3). That of a difference of two means over
    w periods of so many series each is deviation * sqrt((1 / changed + 1 / unchanged) / w), and errors that echo from
    one period to the next count as w * (1 - echo) / (1 + echo) periods. So

        w = 3 * deviation² / error² * (1 / changed + 1 / unchanged) * (1 + echo) / (1 - echo).

    Args:
        error: of what is known of the effect on one sample.
        deviation: of one sample from what the model predicts.
        echo: correlation of a series' deviations from one period to the next, in [0, 1).
    Source: Bayley and Hammersley 1946 for the echo; precisions add up as in any normal conjugate model.
    """
    share = 1 / changed + 1 / unchanged
    return max(1, ceil(3 * (deviation / error) ** 2 * share * (1 + echo) / (1 - echo)))


def halves(names: Sequence[str], salt: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """By the hash of each name, so that nobody chooses, and another lever changes others; sorted."""
    order = sorted(names, key=lambda name: digest("experiment v1", f"{salt}\n{name}".encode()))
    half = len(order) // 2
    return tuple(sorted(order[:half])), tuple(sorted(order[half:]))


def echo_of(residuals: Residuals) -> float:
    """Correlation of a series' residual with its next one, of all series together; within 0 and 0.95."""
    order = np.lexsort((residuals.times, residuals.series))
    off, series = residuals.off[order], residuals.series[order]
    off = off - (np.bincount(series, off) / np.maximum(np.bincount(series), 1))[series]
    follows = series[1:] == series[:-1]
    before, after = off[:-1][follows], off[1:][follows]
    power = float(np.sqrt((before**2).sum() * (after**2).sum()))
    return min(max(float((before * after).sum()) / power, 0.0), 0.95) if power else 0.0


def _design(asked: Asked, lever: Lever, far: int, rows: int, residuals: Residuals) -> Design | None:
    steps = np.diff(np.unique(residuals.times))
    if len(residuals.names) < LEAST_SERIES or not len(steps):
        return None
    changed, unchanged = halves(residuals.names, lever.name)
    error = float(lever.change[far].std(ddof=1)) / rows
    deviation = float(residuals.off.std(ddof=1))
    periods = periods_for(error, deviation, echo_of(residuals), len(changed), len(unchanged))
    per_sample = -float(lever.gains(asked.value)[far].mean()) / rows
    period_s = float(np.median(steps)) / 1e6
    return Design(changed, unchanged, periods, period_s, per_sample * len(changed) * periods)
