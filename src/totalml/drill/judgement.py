"""Hold detectors against histories of known truth, at thresholds by which all of them alarm falsely equally often.

The score is what finding adds to guessing: the share of drifts that are alarmed for, less the share of harmless
histories that are, over the same days. Whoever alarms always, never or by chance scores 0 (Youden 1950).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from totalml.drill.futures import draw_future
from totalml.drill.history import draw_history
from totalml.monitoring.verdict import NONE
from totalml.recipe.drill import HARMLESS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.drill.detector import Detector
    from totalml.drill.history import History, Pools
    from totalml.recipe import DrillRecipe
    from totalml.recipe.drill import Truth


@dataclass(frozen=True)
class Outcome:
    """Of one detector in one history.

    Args:
        early: whether it first alarmed before anything happened; then whatever it says later counts for nothing.
        alarm: the day on which it first alarmed, once something happened; None: it did not.
        verdict: what it called that.
    """

    detector: str
    scenario: str
    number: int
    early: bool
    alarm: int | None
    verdict: str


@dataclass(frozen=True)
class Found:
    """Of one detector in all histories of one scenario.

    Args:
        alarmed: share of the histories that it first alarmed in once something happened; `early`: before.
        delay_days: until half of all histories were alarmed for; 1 is the first day; None: fewer ever were.
        verdicts: what it called them -> how often.
    """

    scenario: str
    truth: Truth
    histories: int
    alarmed: float
    early: float
    delay_days: int | None
    verdicts: dict[str, int]


@dataclass(frozen=True)
class Judged:
    """Args:
    threshold: of its evidence; `false_alarms`: share of the calm histories that set it in which it alarms.
    fresh: the same share of as many other calm histories.
    score: see above.
    """

    detector: str
    threshold: float
    false_alarms: float
    fresh: float
    score: float
    found: tuple[Found, ...]


def judge(
    detectors: Sequence[Detector],
    pools: Pools,
    recipe: DrillRecipe,
    truths: Mapping[str, Truth],
    seed: int,
    tracked: Callable[[Iterable[str]], Iterable[str]] = iter,
) -> tuple[list[Judged], list[Outcome]]:
    """The best first.

    Args:
        truths: scenario -> what is to be found.
        tracked: shows how far it is, scenario by scenario.
    Raises: DataError: a population has too few samples.
    """
    calm = recipe.calm_histories
    evidence = {each.name: np.empty((calm, recipe.days)) for each in detectors}
    for number in range(calm):
        history = _drawn(pools, recipe, None, seed, number)
        for detector in detectors:
            evidence[detector.name][number] = detector.evidence(history)
    thresholds = {name: threshold_for(values.max(axis=1), recipe.false_alarms) for name, values in evidence.items()}
    fresh = _fresh(detectors, pools, recipe, thresholds, seed)
    outcomes: list[Outcome] = []
    for scenario in tracked(recipe.scenarios):
        for number in range(recipe.histories):
            history = _drawn(pools, recipe, scenario, seed, number)
            for detector in detectors:
                first = _first_alarm(detector.evidence(history), thresholds[detector.name])
                early = first is not None and first < history.began
                alarm = None if early else first
                verdict = NONE if alarm is None else detector.verdict(history, alarm)
                outcomes.append(Outcome(detector.name, scenario, number, early, alarm, verdict))
    judged = []
    for name, threshold in thresholds.items():
        own = [each for each in outcomes if each.detector == name]
        found = tuple(_found(scenario, truths[scenario], own, recipe.from_day) for scenario in recipe.scenarios)
        told = float((evidence[name].max(axis=1) >= threshold).mean())
        over_all, in_drifts = fresh[name]
        judged.append(Judged(name, threshold, told, over_all, _score(found, in_drifts), found))
    return sorted(judged, key=lambda each: -each.score), outcomes


def _drawn(pools: Pools, recipe: DrillRecipe, scenario: str | None, seed: int, number: int) -> History:
    draw = draw_future if recipe.futures else draw_history
    return draw(pools, recipe, scenario, seed, number)


def threshold_for(surest: NDArray[np.float64], share: float) -> float:
    """The least threshold by which at most that share of histories is alarmed in.

    Args: surest: (H,) the largest evidence of each calm history.
    """
    most = math.floor(share * len(surest) + 1e-9)
    return float(np.nextafter(np.sort(surest)[::-1][most], np.inf))


def _fresh(
    detectors: Sequence[Detector], pools: Pools, recipe: DrillRecipe, thresholds: Mapping[str, float], seed: int
) -> dict[str, tuple[float, float]]:
    """Share of other calm histories that each alarms in: on any day, and on those on which drifts happen elsewhere."""
    firsts: dict[str, list[int]] = {each.name: [] for each in detectors}
    for number in range(recipe.calm_histories, 2 * recipe.calm_histories):
        history = _drawn(pools, recipe, None, seed, number)
        for detector in detectors:
            first = _first_alarm(detector.evidence(history), thresholds[detector.name])
            firsts[detector.name] += [] if first is None else [first]
    calm = recipe.calm_histories
    return {
        name: (len(days) / calm, sum(day >= recipe.from_day for day in days) / calm) for name, days in firsts.items()
    }


def _first_alarm(evidence: NDArray[np.float64], threshold: float) -> int | None:
    days = np.flatnonzero(evidence >= threshold)
    return int(days[0]) if len(days) else None


def _found(scenario: str, truth: Truth, outcomes: Sequence[Outcome], began: int) -> Found:
    own = [each for each in outcomes if each.scenario == scenario]
    delays = sorted(math.inf if each.alarm is None else each.alarm - began + 1 for each in own)
    half = delays[(len(delays) - 1) // 2]
    verdicts: dict[str, int] = {}
    for each in own:
        verdicts[each.verdict] = verdicts.get(each.verdict, 0) + 1
    return Found(
        scenario=scenario,
        truth=truth,
        histories=len(own),
        alarmed=sum(each.alarm is not None for each in own) / len(own),
        early=sum(each.early for each in own) / len(own),
        delay_days=None if math.isinf(half) else int(half),
        verdicts=dict(sorted(verdicts.items())),
    )


def _score(found: Sequence[Found], calm: float) -> float:
    """Args: calm: share of histories in which nothing happens that are alarmed for over the same days."""
    drifts = [each.alarmed for each in found if each.truth not in HARMLESS]
    harmless = [calm, *(each.alarmed for each in found if each.truth in HARMLESS)]
    return (float(np.mean(drifts)) if drifts else 0.0) - float(np.mean(harmless))
